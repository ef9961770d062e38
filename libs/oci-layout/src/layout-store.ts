import { Readable } from 'node:stream';
import {
  type BlobRef,
  childrenOf,
  ContentError,
  type ContentStore,
  descriptorOf,
  type Digest,
  isDigest,
  isTag,
  type Manifest,
  manifestFromBytes,
  type PushBlobOptions,
  type Tag,
} from '@waybill/oci-model';
import type { BlobFolder } from './blob-folder.js';
import { type IndexEntry, type LayoutIndex, nameOf, withTag } from './index-file.js';
import { refuseAborted } from './storage-error.js';

/** A layout behind the content ports. Its tags are the `ref.name` annotations of `index.json`. */
export class LayoutStore implements ContentStore {
  readonly #blobs: BlobFolder;
  readonly #index: LayoutIndex;

  constructor(blobs: BlobFolder, index: LayoutIndex) {
    this.#blobs = blobs;
    this.#index = index;
  }

  async readManifest(reference: Digest | Tag, signal?: AbortSignal): Promise<Manifest> {
    refuseAborted('read manifest', signal);
    const entries = await this.#index.entries();
    const digest = isDigest(reference) ? reference : digestNamed(entries, reference);
    if (digest === undefined) throw notFound(`the layout has no tag ${reference}`);
    const bytes = await this.#blobs.readManifestBytes(digest);
    return manifestFromBytes(bytes, entries.find((entry) => entry.digest === digest)?.mediaType, digest);
  }

  readBlob(blob: BlobRef, signal?: AbortSignal): Promise<Readable> {
    return this.#blobs.read(blob, signal);
  }

  async probeBlob(blob: BlobRef, signal?: AbortSignal): Promise<boolean> {
    refuseAborted('probe blob', signal);
    return (await this.#blobs.sizeOf(blob.digest)) === blob.size;
  }

  pushBlob(blob: BlobRef, content: Readable, options: PushBlobOptions = {}): Promise<void> {
    return this.#blobs.write(blob, content, options.signal);
  }

  async pushManifest(manifest: Manifest, signal?: AbortSignal): Promise<void> {
    refuseAborted('push manifest', signal);
    await this.#refuseMissing(manifest);
    await this.#blobs.write(descriptorOf(manifest), Readable.from([manifest.bytes]), signal);
  }

  async resolveTag(tag: Tag, signal?: AbortSignal): Promise<Digest | undefined> {
    refuseAborted('resolve tag', signal);
    return digestNamed(await this.#index.entries(), tag);
  }

  async putTag(tag: Tag, manifest: Manifest, signal?: AbortSignal): Promise<void> {
    await this.pushManifest(manifest, signal);
    await this.#index.update((entries) => withTag(entries, tag, descriptorOf(manifest)));
  }

  async *listTags(signal?: AbortSignal): AsyncIterable<Tag> {
    refuseAborted('list tags', signal);
    const names = (await this.#index.entries()).map((entry) => nameOf(entry) ?? '');
    yield* new Set(names.filter(isTag)); // other tools name manifests as they like
  }

  async #refuseMissing(manifest: Manifest): Promise<void> {
    const { manifests, blobs } = childrenOf(manifest);
    for (const child of [...manifests, ...blobs]) {
      if ((await this.#blobs.sizeOf(child.digest)) !== undefined) continue;
      throw new ContentError(`manifest ${manifest.digest} names ${child.digest}, which the layout does not have`, {
        code: 'blob-unknown',
        operation: 'push manifest',
        details: { digest: child.digest },
      });
    }
  }
}

/** @throws ContentError `manifest-invalid` when the name is given to several manifests, as the specification lets layouts do */
function digestNamed(entries: readonly IndexEntry[], tag: Tag): Digest | undefined {
  const digests = new Set(entries.filter((entry) => nameOf(entry) === tag).map((entry) => entry.digest));
  const [digest, ...others] = digests;
  if (others.length === 0) return digest;
  throw new ContentError(`the layout names ${digests.size} manifests "${tag}": choose one by its digest`, {
    code: 'manifest-invalid',
    operation: 'resolve tag',
    details: { digests: [...digests] },
  });
}

function notFound(message: string): ContentError {
  return new ContentError(message, { code: 'not-found', operation: 'read manifest' });
}
