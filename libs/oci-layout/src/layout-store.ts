import { Readable } from 'node:stream';
import {
  type BlobRef,
  childrenOf,
  ContentError,
  type ContentRemover,
  type ContentStore,
  type Descriptor,
  descriptorOf,
  type Digest,
  isDigest,
  isTag,
  type Manifest,
  manifestFromBytes,
  type PushBlobOptions,
  type ReferrerLister,
  type Removal,
  type Tag,
} from '@waybill/oci-model';
import type { BlobFolder } from './blob-folder.js';
import { digestNamed, type LayoutIndex, nameOf, withTag } from './index-file.js';
import { LayoutReferrers } from './layout-referrers.js';
import { deleteBlob, deleteManifest, untag } from './remove-content.js';
import { refuseAborted } from './storage-error.js';

/** A layout behind the content ports. Its tags are the `ref.name` annotations of `index.json`. */
export class LayoutStore implements ContentStore, ReferrerLister, ContentRemover {
  readonly #blobs: BlobFolder;
  readonly #index: LayoutIndex;
  readonly #referrers: LayoutReferrers;

  constructor(blobs: BlobFolder, index: LayoutIndex) {
    this.#blobs = blobs;
    this.#index = index;
    this.#referrers = new LayoutReferrers(blobs, index);
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
    await this.#referrers.add(manifest);
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

  listReferrers(subject: Digest, signal?: AbortSignal): AsyncIterable<Descriptor> {
    return this.#referrers.list(subject, signal);
  }

  /** Leaves what is beneath the manifest; `OciLayout.removeTag` takes that away too. */
  async deleteManifest(digest: Digest, signal?: AbortSignal): Promise<Removal> {
    refuseAborted('delete manifest', signal);
    return await deleteManifest({ index: this.#index, blobs: this.#blobs, referrers: this.#referrers }, digest);
  }

  async deleteBlob(digest: Digest, signal?: AbortSignal): Promise<Removal> {
    refuseAborted('delete blob', signal);
    return await deleteBlob(this.#index, this.#blobs, digest);
  }

  async untag(tag: Tag, signal?: AbortSignal): Promise<Removal> {
    refuseAborted('untag', signal);
    return await untag(this.#index, tag);
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

function notFound(message: string): ContentError {
  return new ContentError(message, { code: 'not-found', operation: 'read manifest' });
}
