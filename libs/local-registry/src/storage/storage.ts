import type { Readable } from 'node:stream';
import type { Descriptor, Digest, RepositoryName, Tag } from '@waybill/oci-model';
import type { ByteRange } from '../range.js';

/**
 * Where a registry keeps what it holds. Files and memory implement it and pass the same tests.
 * A method that resolves has done it for good: on files that outlives the process and a power failure.
 */
export interface Storage {
  readonly blobs: BlobStorage;
  readonly repositories: RepositoryStorage;
  readonly staging: StagingArea;
}

/** All content of the registry, each once, by its digest. Which repository may see it is said by `RepositoryStorage`. */
export interface BlobStorage {
  /** Its size in bytes; undefined when it is not here. */
  sizeOf(digest: Digest): Promise<number | undefined>;
  read(digest: Digest, range?: ByteRange): Readable;
  /** For content with a known small bound: manifests. */
  readWhole(digest: Digest): Promise<Buffer>;
  /** Takes over what was staged under `id`, synced, and hashes to `digest`. */
  commit(id: string, digest: Digest): Promise<void>;
  /** Writes bytes that hash to `digest`. */
  write(bytes: Uint8Array, digest: Digest): Promise<void>;
}

/** Unfinished content, by the id of its upload session. */
export interface StagingArea {
  /** Opens it for appending, made when it is missing. */
  append(id: string): Promise<StagedContent>;
  /** What was appended so far. */
  read(id: string): AsyncIterable<Uint8Array>;
  /** Takes back everything after the first `size` bytes. */
  truncate(id: string, size: number): Promise<void>;
  /** Not to be found is no failure. */
  remove(id: string): Promise<void>;
  /** The ids of everything that is staged, in no order. */
  ids(): Promise<readonly string[]>;
}

export interface StagedContent {
  write(chunk: Uint8Array): Promise<void>;
  /** After this, `BlobStorage.commit` may be trusted with it. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * What each repository holds: links to blobs and manifests, tags, and which manifests refer to which.
 * Writers of one repository that depend on each other are kept apart by the caller (`RepositoryLocks`).
 */
export interface RepositoryStorage {
  holdsBlob(repository: RepositoryName, digest: Digest): Promise<boolean>;
  linkBlob(repository: RepositoryName, digest: Digest): Promise<void>;
  /** False when it was not linked. The content stays where it is. */
  unlinkBlob(repository: RepositoryName, digest: Digest): Promise<boolean>;
  /** Does any repository hold the blob? */
  isBlobHeld(digest: Digest): Promise<boolean>;

  /** The media type under which the manifest was pushed; undefined when it is not here. */
  manifestType(repository: RepositoryName, digest: Digest): Promise<string | undefined>;
  /** Makes the manifest visible, and a referrer of its subject from the same moment on. */
  linkManifest(repository: RepositoryName, manifest: LinkedManifest): Promise<void>;
  /**
   * Removes the manifest, every tag that names it and its entry among the referrers of `subject`: all of it or,
   * when the process dies before it began, nothing. False when it was not here.
   */
  removeManifest(repository: RepositoryName, digest: Digest, subject: Digest | undefined): Promise<boolean>;
  /** The digests of the manifests that refer to `subject`, sorted. */
  referrers(repository: RepositoryName, subject: Digest): Promise<readonly Digest[]>;
  /** What the list of referrers says of one; undefined when it is no longer here. */
  referrer(repository: RepositoryName, subject: Digest, digest: Digest): Promise<Descriptor | undefined>;

  readTag(repository: RepositoryName, tag: Tag): Promise<Digest | undefined>;
  writeTag(repository: RepositoryName, tag: Tag, digest: Digest): Promise<void>;
  /** False when there was no such tag. */
  removeTag(repository: RepositoryName, tag: Tag): Promise<boolean>;
  /** All tags in no order; undefined when no manifest was ever pushed to the repository. */
  tags(repository: RepositoryName): Promise<readonly Tag[] | undefined>;

  /** Every repository that holds a manifest, in no order. */
  names(): AsyncIterable<RepositoryName>;
}

export interface LinkedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  /** What it refers to, and what the list of referrers says of it. */
  readonly referral?: { readonly subject: Digest; readonly descriptor: Descriptor } | undefined;
}

/** The size of a blob that the repository may see, or undefined. */
export async function sizeOfBlob(storage: Storage, repository: RepositoryName, digest: Digest): Promise<number | undefined> {
  if (!(await storage.repositories.holdsBlob(repository, digest))) return undefined;
  return storage.blobs.sizeOf(digest);
}

export async function holdsManifest(storage: Storage, repository: RepositoryName, digest: Digest): Promise<boolean> {
  if ((await storage.repositories.manifestType(repository, digest)) === undefined) return false;
  return (await storage.blobs.sizeOf(digest)) !== undefined;
}
