import type { Readable } from 'node:stream';
import type {
  BlobMounter,
  BlobRef,
  ContentRemover,
  ContentStore,
  Descriptor,
  Digest,
  Manifest,
  MountResult,
  PushBlobOptions,
  ReferrerLister,
  Removal,
  RepositoryName,
  Tag,
} from '@waybill/oci-model';
import { probeBlob, readBlob } from './blobs.js';
import type { Connection } from './connection.js';
import { deleteBlob, deleteManifest } from './delete-content.js';
import { readManifest } from './manifests.js';
import { mountBlob } from './mounts.js';
import { pushManifest } from './push-manifest.js';
import { listedByRegistry, listReferrers } from './referrers.js';
import type { RepositoryScope } from './scope.js';
import { hasManifest, listTags, resolveTag } from './tags.js';
import { untag, untagFrom } from './untag.js';
import { pushBlob } from './uploads.js';

/** One repository of a registry, behind the content ports. Every method rejects with ContentError. */
export class RepositoryClient implements ContentStore, BlobMounter, ReferrerLister, ContentRemover {
  /** The logical name, without the registry's prefix. */
  readonly name: RepositoryName;
  readonly #scope: RepositoryScope;

  constructor(connection: Connection, name: RepositoryName) {
    this.name = name;
    this.#scope = { connection, name, path: `/v2/${connection.fullName(name)}` };
  }

  async readManifest(reference: Digest | Tag, signal?: AbortSignal): Promise<Manifest> {
    return await readManifest(this.#scope, reference, signal);
  }

  async readBlob(blob: BlobRef, signal?: AbortSignal): Promise<Readable> {
    return await readBlob(this.#scope, blob, signal);
  }

  async probeBlob(blob: BlobRef, signal?: AbortSignal): Promise<boolean> {
    return await probeBlob(this.#scope, blob, signal);
  }

  /** Takes `content` over: it is read to its end or destroyed. */
  async pushBlob(blob: BlobRef, content: Readable, options: PushBlobOptions = {}): Promise<void> {
    await pushBlob(this.#scope, blob, content, options);
  }

  async mountBlob(blob: BlobRef, from: RepositoryName, signal?: AbortSignal): Promise<MountResult> {
    return await mountBlob(this.#scope, blob, { from, signal });
  }

  async pushManifest(manifest: Manifest, signal?: AbortSignal): Promise<void> {
    await pushManifest(this.#scope, manifest, { signal });
  }

  async resolveTag(tag: Tag, signal?: AbortSignal): Promise<Digest | undefined> {
    return await resolveTag(this.#scope, tag, signal);
  }

  async putTag(tag: Tag, manifest: Manifest, signal?: AbortSignal): Promise<void> {
    await pushManifest(this.#scope, manifest, { tag, signal });
  }

  /** A registry says `not-found` for a repository that has no tag at all, as for one that does not exist. */
  listTags(signal?: AbortSignal): AsyncIterable<Tag> {
    return listTags(this.#scope, signal);
  }

  /** By the registry's own list and by the referrers tag, whichever there is. */
  listReferrers(subject: Digest, signal?: AbortSignal): AsyncIterable<Descriptor> {
    return listReferrers(this.#scope, subject, signal);
  }

  /** By the registry's own list alone, in one request where it is short; nothing where there is no such list. */
  listOwnReferrers(subject: Digest, signal?: AbortSignal): AsyncIterable<Descriptor> {
    return listedByRegistry(this.#scope, subject, signal);
  }

  /** Whether the registry says that it has the manifest; trouble rejects: unknown is not absent. */
  async hasManifest(digest: Digest, signal?: AbortSignal): Promise<boolean> {
    return await hasManifest(this.#scope, digest, signal);
  }

  async deleteManifest(digest: Digest, signal?: AbortSignal): Promise<Removal> {
    return await deleteManifest(this.#scope, digest, signal);
  }

  async deleteBlob(digest: Digest, signal?: AbortSignal): Promise<Removal> {
    return await deleteBlob(this.#scope, digest, signal);
  }

  /** Where the registry cannot untag by itself, there is a way round with two windows: see `untagByThrowAway`. */
  async untag(tag: Tag, signal?: AbortSignal): Promise<Removal> {
    return await untag(this.#scope, tag, signal);
  }

  /** As `untag`, but a tag that names another digest stays on it. */
  async untagFrom(tag: Tag, digest: Digest, signal?: AbortSignal): Promise<Removal | 'moved'> {
    return await untagFrom(this.#scope, { tag, digest }, signal);
  }
}
