import type { ContentReader, Digest } from '@waybill/oci-model';
import { copyRoot } from './copy-root.js';
import { LinkedAbort } from './linked-abort.js';
import { checkTargets, type CopyOptions, type CopyTarget, settingsOf } from './options.js';
import type { CopyReport } from './report.js';
import { CopySession } from './session.js';

/**
 * Brings everything beneath `root` to all `targets`, reading each blob from `source` once; on request also
 * what refers to it. At each target children are there before what names them and subjects before what refers
 * to them; the tags come last.
 * One bad blob, target or hook never stops the other targets: what became of each is in the report.
 *
 * Rejects with CopyError only when no target could begin: `arguments-invalid`, `aborted`,
 * or a `source-…` code when the root cannot be read. Nothing runs on after it has settled.
 */
export async function copyGraph(
  source: ContentReader,
  root: Digest,
  targets: readonly CopyTarget[],
  options: CopyOptions = {},
): Promise<CopyReport> {
  checkTargets(targets);
  const caller = new LinkedAbort(options.signal);
  try {
    const session = new CopySession(source, settingsOf({ ...options, signal: caller.signal }));
    return await copyRoot(session, root, targets);
  } finally {
    caller.release();
  }
}
