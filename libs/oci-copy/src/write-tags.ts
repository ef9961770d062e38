import type { Manifest, Tag } from '@waybill/oci-model';
import { type ManifestContext, pushManifest } from './copy-manifest.js';
import type { Part } from './part.js';
import { withRepair } from './repair.js';

/**
 * Makes the target's tags name `root`, in the order they were given.
 * Rejects with CopyError at the first that fails; later ones are not written then.
 */
export async function writeTags(part: Part, root: Manifest, context: ManifestContext): Promise<void> {
  const { run } = part;
  for (const tag of run.target.tags ?? []) {
    const current = await run.request('resolve tag', root.digest, (signal) => run.store.resolveTag(tag, signal));
    if (current !== root.digest) await writeTag(part, { tag, manifest: root }, context);
  }
}

/** Writes one tag, once. Rejects with CopyError. */
export async function writeTag(
  part: Part,
  { tag, manifest }: { readonly tag: Tag; readonly manifest: Manifest },
  context: ManifestContext,
): Promise<void> {
  const { run } = part;
  const event = { target: run.id, tag, manifest };
  await run.hook('beforeTag', (hooks) => hooks.beforeTag?.(event));
  await withRepair(part, manifest, {
    ...context,
    pushChild: (child) => pushManifest(part, child, context),
    send: () => run.request('put tag', manifest.digest, (signal) => run.store.putTag(tag, manifest, signal)),
  });
  run.tagWritten();
  await run.hook('afterTag', (hooks) => hooks.afterTag?.(event));
}
