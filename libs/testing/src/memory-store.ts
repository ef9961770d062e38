import { PassThrough, pipeline, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  type BlobMounter,
  type BlobRef,
  type BlobUpload,
  childrenOf,
  ContentError,
  type ContentErrorCode,
  type ContentRemover,
  type ContentStore,
  type Descriptor,
  type Digest,
  hashesTo,
  isDigest,
  type Manifest,
  manifestFromBytes,
  type MountResult,
  type PushBlobOptions,
  referrerDescriptorOf,
  type ReferrerLister,
  referrersIn,
  referrersTagOf,
  type Removal,
  type RepositoryName,
  subjectOf,
  type Tag,
  VerifiedStream,
} from '@waybill/oci-model';
import { type BuiltContent, pushBuilt } from './images.js';

const chunkBytes = 64 * 1024;

/** One call that a memory store answered; writes are noted when they took effect. */
export interface StoreCall {
  readonly method: keyof ContentStore | keyof BlobMounter | keyof ReferrerLister | keyof ContentRemover;
  /** The digest or tag it was about. */
  readonly about: string;
}

/** A registry in memory: repositories that can mount each other's blobs. For tests. */
export class MemoryRegistry {
  readonly #repositories = new Map<string, MemoryStore>();

  /** The repository of that name, made at first use. */
  repository(name: string): MemoryStore {
    const known = this.#repositories.get(name);
    if (known !== undefined) return known;
    const made = new MemoryStore(this);
    this.#repositories.set(name, made);
    return made;
  }

  /** Puts a store in a repository's place, for doubles that override one method. */
  adopt(name: string, store: MemoryStore): void {
    this.#repositories.set(name, store);
  }

  blobOf(name: string, digest: Digest): Uint8Array | undefined {
    return this.#repositories.get(name)?.blobs.get(digest);
  }
}

/** An upload session of a memory store. */
class MemoryUpload implements BlobUpload {
  constructor(private readonly sessions: Set<BlobUpload>) {
    sessions.add(this);
  }

  cancel(): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  close(): void {
    this.sessions.delete(this);
  }
}

/**
 * One repository in memory that behaves as Distribution 3 does: it refuses manifests whose
 * content is missing, answers a mount it cannot do with an upload session, lists referrers and untags.
 * Passes the contract suite of the content ports, so engines may be tested on it.
 */
export class MemoryStore implements ContentStore, BlobMounter, ReferrerLister, ContentRemover {
  readonly blobs = new Map<Digest, Uint8Array>();
  readonly manifests = new Map<Digest, Manifest>();
  readonly tags = new Map<Tag, Digest>();
  /** Sessions that were opened and neither used nor cancelled. */
  readonly openUploads = new Set<BlobUpload>();
  /** Every call that succeeded, in order. */
  readonly calls: StoreCall[] = [];

  constructor(protected readonly registry: MemoryRegistry = new MemoryRegistry()) {}

  async readManifest(reference: Digest | Tag, signal?: AbortSignal): Promise<Manifest> {
    await turn('read manifest', signal);
    const digest = isDigest(reference) ? reference : this.tags.get(reference);
    const manifest = digest === undefined ? undefined : this.manifests.get(digest);
    if (manifest === undefined) throw failure('not-found', 'read manifest', `there is no manifest ${reference}`);
    this.note('readManifest', reference);
    return manifestFromBytes(manifest.bytes, manifest.mediaType, isDigest(reference) ? reference : undefined);
  }

  async readBlob(blob: BlobRef, signal?: AbortSignal): Promise<Readable> {
    await turn('read blob', signal);
    const bytes = this.blobs.get(blob.digest);
    if (bytes === undefined) throw failure('not-found', 'read blob', `there is no blob ${blob.digest}`);
    this.note('readBlob', blob.digest);
    const verified = new VerifiedStream(blob);
    const stop = () => verified.destroy(aborted('read blob'));
    signal?.addEventListener('abort', stop, { once: true });
    // The error reaches the reader through the verified stream itself.
    pipeline(Readable.from(chunksOf(bytes), { objectMode: false }), verified, () => {
      signal?.removeEventListener('abort', stop);
    });
    return verified;
  }

  async probeBlob(blob: BlobRef, signal?: AbortSignal): Promise<boolean> {
    await turn('probe blob', signal);
    this.note('probeBlob', blob.digest);
    return this.blobs.has(blob.digest);
  }

  async pushBlob(blob: BlobRef, content: Readable, options: PushBlobOptions = {}): Promise<void> {
    const upload = this.#uploadFor(options.upload);
    try {
      await turn('push blob', options.signal);
      const bytes = await buffer(stoppable(content, options.signal));
      if (bytes.byteLength !== blob.size) {
        throw failure('size-mismatch', 'push blob', `${blob.digest} came with ${bytes.byteLength} instead of ${blob.size} bytes`);
      }
      if (!hashesTo(bytes, blob.digest)) throw failure('digest-mismatch', 'push blob', `the bytes are not those of ${blob.digest}`);
      this.blobs.set(blob.digest, bytes);
      this.note('pushBlob', blob.digest);
    } finally {
      upload.close();
    }
  }

  async pushManifest(manifest: Manifest, signal?: AbortSignal): Promise<void> {
    await turn('push manifest', signal);
    this.#keep(manifest);
    this.note('pushManifest', manifest.digest);
  }

  async resolveTag(tag: Tag, signal?: AbortSignal): Promise<Digest | undefined> {
    await turn('resolve tag', signal);
    this.note('resolveTag', tag);
    return this.tags.get(tag);
  }

  async putTag(tag: Tag, manifest: Manifest, signal?: AbortSignal): Promise<void> {
    await turn('put tag', signal);
    this.#keep(manifest);
    this.tags.set(tag, manifest.digest);
    this.note('putTag', tag);
  }

  async *listTags(signal?: AbortSignal): AsyncIterable<Tag> {
    await turn('list tags', signal);
    yield* [...this.tags.keys()];
  }

  async mountBlob(blob: BlobRef, from: RepositoryName, signal?: AbortSignal): Promise<MountResult> {
    await turn('mount blob', signal);
    const bytes = this.registry.blobOf(from, blob.digest);
    if (bytes === undefined) return { mounted: false, upload: new MemoryUpload(this.openUploads) };
    this.blobs.set(blob.digest, bytes);
    this.note('mountBlob', blob.digest);
    return { mounted: true };
  }

  /** What refers to `subject` here, and what the referrers tag lists. */
  async *listReferrers(subject: Digest, signal?: AbortSignal): AsyncIterable<Descriptor> {
    await turn('list referrers', signal);
    this.note('listReferrers', subject);
    const tagged = this.tags.get(referrersTagOf(subject));
    const index = tagged === undefined ? undefined : this.manifests.get(tagged);
    const byTag = index === undefined ? [] : referrersIn(index);
    const own = [...this.manifests.values()].filter((manifest) => subjectOf(manifest) === subject).map(referrerDescriptorOf);
    yield* new Map([...byTag, ...own].map((referrer) => [referrer.digest, referrer])).values();
  }

  async deleteManifest(digest: Digest, signal?: AbortSignal): Promise<Removal> {
    await turn('delete manifest', signal);
    for (const [tag, named] of this.tags) {
      if (named === digest) this.tags.delete(tag);
    }
    return this.#removed('deleteManifest', digest, this.manifests.delete(digest));
  }

  async deleteBlob(digest: Digest, signal?: AbortSignal): Promise<Removal> {
    await turn('delete blob', signal);
    return this.#removed('deleteBlob', digest, this.blobs.delete(digest));
  }

  async untag(tag: Tag, signal?: AbortSignal): Promise<Removal> {
    await turn('untag', signal);
    return this.#removed('untag', tag, this.tags.delete(tag));
  }

  /** What was asked of one method, in order. */
  callsOf(method: StoreCall['method']): string[] {
    return this.calls.filter((call) => call.method === method).map((call) => call.about);
  }

  protected note(method: StoreCall['method'], about: string): void {
    this.calls.push({ method, about });
  }

  #removed(method: StoreCall['method'], about: string, wasThere: boolean): Removal {
    if (wasThere) this.note(method, about);
    return wasThere ? 'removed' : 'absent';
  }

  #uploadFor(upload: BlobUpload | undefined): MemoryUpload {
    if (upload === undefined) return new MemoryUpload(this.openUploads);
    if (upload instanceof MemoryUpload && this.openUploads.has(upload)) return upload;
    throw failure('upload-invalid', 'push blob', 'the upload session is not open at this store');
  }

  #keep(manifest: Manifest): void {
    const children = childrenOf(manifest);
    const missing = [
      ...children.blobs.filter((blob) => !this.blobs.has(blob.digest)),
      ...children.manifests.filter((child) => !this.manifests.has(child.digest)),
    ];
    if (missing.length > 0) {
      const names = missing.map((child) => child.digest).join(', ');
      throw failure('blob-unknown', 'push manifest', `manifest ${manifest.digest} names missing content: ${names}`);
    }
    this.manifests.set(manifest.digest, { ...manifest, bytes: Uint8Array.from(manifest.bytes) });
  }
}

/** A store that holds `built` whole, with nothing noted about it yet. */
export async function memoryStoreWith(built: BuiltContent, store = new MemoryStore()): Promise<MemoryStore> {
  await pushBuilt(store, built);
  store.calls.length = 0;
  return store;
}

/** Lets other work go first, as any I/O does, and fails when the signal has been given. */
async function turn(operation: string, signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  if (signal?.aborted === true) throw aborted(operation);
}

function stoppable(content: Readable, signal: AbortSignal | undefined): Readable {
  const passage = new PassThrough();
  const stop = () => passage.destroy(aborted('push blob'));
  signal?.addEventListener('abort', stop, { once: true });
  // The error reaches the reader through the passage itself.
  pipeline(content, passage, () => {
    signal?.removeEventListener('abort', stop);
  });
  return passage;
}

function* chunksOf(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += chunkBytes) yield bytes.subarray(start, start + chunkBytes);
}

function aborted(operation: string): ContentError {
  return failure('aborted', operation, 'the operation was cancelled');
}

function failure(code: ContentErrorCode, operation: string, message: string): ContentError {
  return new ContentError(message, { code, operation });
}
