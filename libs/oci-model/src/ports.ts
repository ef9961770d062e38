import type { Readable } from 'node:stream';
import type { Digest } from './digest.js';
import type { Descriptor, Manifest } from './manifest.js';
import type { RepositoryName, Tag } from './reference.js';

/**
 * The content ports: one repository of a registry, or an image layout on disk.
 * They lie below both the copy engine and the registry client, which never
 * import each other. Every method rejects with ContentError.
 */

/** What identifies a blob's bytes. */
export type BlobRef = Pick<Descriptor, 'digest' | 'size'>;

export interface ContentReader {
  /**
   * Reads a manifest whole, its raw bytes kept and, when asked by digest, verified.
   * Rejects with `not-found`, `manifest-too-large`, `digest-mismatch`, `manifest-invalid` and transport codes.
   */
  readManifest(reference: Digest | Tag, signal?: AbortSignal): Promise<Manifest>;
  /**
   * Streams a blob. Digest and size are verified in flight: the stream errors with
   * `digest-mismatch` or `size-mismatch` before its last chunk is given out.
   */
  readBlob(blob: BlobRef, signal?: AbortSignal): Promise<Readable>;
  /**
   * Is the blob's content really there? True only when a byte of it was read:
   * after a garbage collection, Distribution answers HEAD and even 206 for blobs it lost.
   * An empty blob is present when the store says so. Absence is `false`, trouble rejects.
   */
  probeBlob(blob: BlobRef, signal?: AbortSignal): Promise<boolean>;
}

/** An upload session that a store has opened. Its address is a secret and stays inside. */
export interface BlobUpload {
  /** Tells the store that the session will not be used; never rejects. */
  cancel(): Promise<void>;
}

export interface PushBlobOptions {
  /** A session to use instead of opening one, as a refused mount leaves it behind. */
  readonly upload?: BlobUpload;
  readonly signal?: AbortSignal;
}

export interface ContentWriter {
  /**
   * Streams a blob into the store in one request. Resolves when the store has committed it
   * under its digest. When `content` errors, the session is cancelled and nothing is committed.
   * `content` is the store's from here on: it is read to its end or destroyed.
   */
  pushBlob(blob: BlobRef, content: Readable, options?: PushBlobOptions): Promise<void>;
  /**
   * Writes a manifest's raw bytes under its digest. Rejects with `blob-unknown` when content beneath it is missing.
   * One with a `subject` is a referrer of it from then on: a store that keeps no list of referrers by itself
   * gets the fallback tag written by its client (distribution-spec v1.1.1, "Pushing Manifests with Subject").
   */
  pushManifest(manifest: Manifest, signal?: AbortSignal): Promise<void>;
}

export interface TagStore {
  /** The digest that a tag names now; undefined when the tag is absent. Trouble rejects: unknown is not absent. */
  resolveTag(tag: Tag, signal?: AbortSignal): Promise<Digest | undefined>;
  /** Makes `tag` name `manifest`, whose content is already there. */
  putTag(tag: Tag, manifest: Manifest, signal?: AbortSignal): Promise<void>;
  /** All tags, reserved ones included, in no order. */
  listTags(signal?: AbortSignal): AsyncIterable<Tag>;
}

/** A place that content can be copied to and from: one repository, or one layout. */
export interface ContentStore extends ContentReader, ContentWriter, TagStore {}

export type MountResult =
  | { readonly mounted: true }
  /** The store wants the bytes; the session it opened may be used for them, and must be used or cancelled. */
  | { readonly mounted: false; readonly upload?: BlobUpload };

/** Optional power: taking a blob over from another repository of the same registry without moving bytes. */
export interface BlobMounter {
  /** `from` is the repository's name at its origin, whatever prefix this store's own name is shortened by. */
  mountBlob(blob: BlobRef, from: RepositoryName, signal?: AbortSignal): Promise<MountResult>;
}

export function isBlobMounter(store: object): store is BlobMounter {
  return 'mountBlob' in store && typeof store.mountBlob === 'function';
}

/** Optional power: naming what refers to a manifest. */
export interface ReferrerLister {
  /**
   * The manifests whose `subject` is `subject`, each once and in no order: what the store's own list says
   * and what the fallback tag says (distribution-spec v1.1.1, "Listing Referrers"). None is an empty list;
   * trouble rejects: unknown is not none.
   */
  listReferrers(subject: Digest, signal?: AbortSignal): AsyncIterable<Descriptor>;
}

export function isReferrerLister(store: object): store is ReferrerLister {
  return 'listReferrers' in store && typeof store.listReferrers === 'function';
}

/** Was there something to remove? */
export type Removal = 'removed' | 'absent';

/**
 * Optional power: removing content. Stores that never delete, or are set not to, reject with `unsupported`.
 * What else a removal takes away is the store's business: most remove a manifest's tags with it,
 * and none looks at what refers to it.
 */
export interface ContentRemover {
  deleteManifest(digest: Digest, signal?: AbortSignal): Promise<Removal>;
  deleteBlob(digest: Digest, signal?: AbortSignal): Promise<Removal>;
  /** Removes the tag and leaves the manifest, also when no other tag names it. */
  untag(tag: Tag, signal?: AbortSignal): Promise<Removal>;
}

export function isContentRemover(store: object): store is ContentRemover {
  return 'untag' in store && typeof store.untag === 'function';
}
