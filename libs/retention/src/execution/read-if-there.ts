import { ContentError, type Digest, type Manifest } from '@waybill/oci-model';
import type { DeletingRegistry } from './ports.js';

/** Undefined where the registry does not have it. Rejects with ContentError otherwise. */
export async function readIfThere(
  registry: Pick<DeletingRegistry, 'readManifest'>,
  digest: Digest,
  signal: AbortSignal,
): Promise<Manifest | undefined> {
  try {
    return await registry.readManifest(digest, signal);
  } catch (error) {
    if (error instanceof ContentError && error.code === 'not-found') return undefined;
    throw error;
  }
}
