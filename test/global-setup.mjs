import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { discardAbandonedRuns, runFolderPrefix } from './run-folder.mjs';

/** Makes the folder of this run and tells the specs where it is. */
export default async function globalSetup() {
  await discardAbandonedRuns();
  const folder = await mkdtemp(join(tmpdir(), runFolderPrefix));
  // When the tests run as root, the database runs as `nobody` and must be able to enter.
  await chmod(folder, 0o711);
  await writeFile(join(folder, 'owner.json'), JSON.stringify({ pid: process.pid }));
  process.env.WAYBILL_TEST_RUN_FOLDER = folder;
}
