import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Makes an empty folder that servers running as another user can enter. Under Jest it stands in the run's own
 * folder, which the end of the run removes; so a helper that is killed leaves nothing for long.
 */
export async function makeTestFolder(prefix: string): Promise<string> {
  const folder = await mkdtemp(join(process.env['WAYBILL_TEST_RUN_FOLDER'] ?? tmpdir(), prefix));
  await chmod(folder, 0o711);
  return folder;
}
