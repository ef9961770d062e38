import { type BlobMounter, type BlobUpload, type Descriptor, isBlobMounter, type RepositoryName } from '@waybill/oci-model';
import type { CopyError } from './copy-error.js';
import type { TargetRun } from './target-run.js';

export type MountOutcome =
  { readonly mounted: true } | { readonly mounted: false; /** To be used or cancelled. */ readonly upload: BlobUpload | undefined };

/**
 * Tries to take a blob over from another repository of the target's registry. Whatever
 * stands in the way, short of a target that is silent or done with, leads to copying.
 * Rejects with CopyError when the target cannot go on.
 */
export async function mountBlob(run: TargetRun, blob: Descriptor): Promise<MountOutcome> {
  const { store } = run;
  if (!isBlobMounter(store)) return { mounted: false, upload: undefined };
  let upload: BlobUpload | undefined;
  try {
    for (const from of run.mountFrom) {
      const attempt = await mountFrom(run, store, { blob, from });
      if (attempt.mounted) {
        await upload?.cancel();
        return attempt;
      }
      // One session is enough for the bytes.
      if (upload === undefined) upload = attempt.upload;
      else await attempt.upload?.cancel();
    }
  } catch (error) {
    await upload?.cancel();
    throw error;
  }
  return { mounted: false, upload };
}

async function mountFrom(
  run: TargetRun,
  mounter: BlobMounter,
  { blob, from }: { readonly blob: Descriptor; readonly from: RepositoryName },
): Promise<MountOutcome> {
  try {
    const result = await run.request('mount blob', blob.digest, (signal) => mounter.mountBlob(blob, from, signal));
    if (!result.mounted) return { mounted: false, upload: result.upload };
    // Distribution 2.8 mounts from its descriptor cache, also what a garbage collection has taken: only a read is proof.
    const proven = await run.request('probe blob', blob.digest, (signal) => run.store.probeBlob(blob, signal));
    return proven ? { mounted: true } : { mounted: false, upload: undefined };
  } catch (error) {
    if (run.error !== undefined || (error as CopyError).code === 'stalled') throw error;
    return { mounted: false, upload: undefined };
  }
}
