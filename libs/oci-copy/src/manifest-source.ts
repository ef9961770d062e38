import { ContentError, type ContentReader, type Digest, hashesTo, type Manifest } from '@waybill/oci-model';
import type { Place } from './copy-error.js';
import { request, type RequestContext } from './request.js';

/**
 * Reads manifests by digest and keeps their bytes, up to a bound on their sum.
 * What did not fit is read again when it is asked for again.
 */
export class ManifestSource {
  readonly #kept = new Map<Digest, Manifest>();
  #room: number;

  constructor(
    private readonly reader: ContentReader,
    private readonly place: Pick<Place, 'side' | 'target'>,
    private readonly context: RequestContext,
  ) {
    this.#room = context.settings.manifestCacheBytes;
  }

  /** Rejects with CopyError. `signal` replaces the context's own. */
  async read(digest: Digest, signal = this.context.signal): Promise<Manifest> {
    const kept = this.#kept.get(digest);
    if (kept !== undefined) return kept;
    const place = { ...this.place, operation: 'read manifest', digest };
    const manifest = await request(place, { ...this.context, signal }, async () =>
      verified(await this.reader.readManifest(digest, signal), digest),
    );
    this.#keep(manifest);
    return manifest;
  }

  #keep(manifest: Manifest): void {
    const size = manifest.bytes.byteLength;
    if (size > this.#room || this.#kept.has(manifest.digest)) return;
    this.#room -= size;
    this.#kept.set(manifest.digest, manifest);
  }
}

/** Stores verify what they read; everything here rests on it, and it costs little to look again. */
function verified(manifest: Manifest, digest: Digest): Manifest {
  if (manifest.digest === digest && hashesTo(manifest.bytes, digest)) return manifest;
  throw new ContentError(`the store gave other bytes than those of ${digest}`, {
    code: 'digest-mismatch',
    operation: 'read manifest',
  });
}
