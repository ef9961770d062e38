import type { Manifest, Tag } from '@waybill/oci-model';
import type { TargetRun } from './target-run.js';

/**
 * Makes the target's tags name `root`, in the order they were given.
 * Rejects with CopyError at the first that fails; later ones are not written then.
 */
export async function writeTags(run: TargetRun, root: Manifest): Promise<void> {
  for (const tag of run.target.tags ?? []) await writeTag(run, tag, root);
}

async function writeTag(run: TargetRun, tag: Tag, manifest: Manifest): Promise<void> {
  const current = await run.request('resolve tag', manifest.digest, (signal) => run.store.resolveTag(tag, signal));
  if (current === manifest.digest) return;
  const event = { target: run.id, tag, manifest };
  await run.hook('beforeTag', (hooks) => hooks.beforeTag?.(event));
  await run.request('put tag', manifest.digest, (signal) => run.store.putTag(tag, manifest, signal));
  run.tagWritten();
  await run.hook('afterTag', (hooks) => hooks.afterTag?.(event));
}
