import type { ContentReader, Descriptor, Digest, RepositoryName, Tag, TagStore } from '@waybill/oci-model';
import type { CreationTime } from './creation-time.js';
import type { CrawlKind, KnownTag } from './judge-listing.js';
import type { ManifestFacts } from './manifest-facts.js';

/** One repository of a registry, as far as it is looked at. Every method rejects with ContentError. */
export interface RepositoryReader extends Pick<ContentReader, 'readManifest' | 'readBlob'>, Pick<TagStore, 'listTags' | 'resolveTag'> {
  /** Whether the registry says that it has the manifest; trouble rejects: unknown is not absent. */
  hasManifest(digest: Digest, signal?: AbortSignal): Promise<boolean>;
  /** By the registry's own list alone; empty where it keeps none. */
  listOwnReferrers(subject: Digest, signal?: AbortSignal): AsyncIterable<Descriptor>;
}

/** A registry, as far as it is looked at. */
export interface InventoriedRegistry {
  listRepositories(signal?: AbortSignal): AsyncIterable<RepositoryName>;
  repository(name: RepositoryName): RepositoryReader;
}

/** Trouble as it is kept: no cause, no secret. */
export interface Problem {
  readonly code: string;
  readonly message: string;
}

/** A repository as it was seen last. */
export interface KnownRepository {
  readonly askedAt: Date;
  readonly suspectSince: Date | undefined;
  /** Those that are not gone. */
  readonly tags: readonly KnownTag[];
}

/** What is known of a manifest here. */
export interface ManifestStatus {
  readonly digest: Digest;
  /** Its bytes were read, here or elsewhere. */
  readonly isRead: boolean;
  /** It is known to be in this repository. */
  readonly isPlaced: boolean;
  readonly created: CreationTime | undefined;
  /** The manifests right beneath it, if it was read. */
  readonly manifests: readonly Digest[];
}

export type RepositoryState = 'known' | 'suspect' | 'unreadable' | 'gone';

/** What a list and the reads of its tags change. */
export interface TagChanges {
  /** What tags name now: new ones and those that were moved. */
  readonly tagged: ReadonlyMap<Tag, Digest>;
  readonly gone: readonly Tag[];
  readonly missing: readonly Tag[];
  readonly back: readonly Tag[];
}

/** How a look at a repository ends. */
export interface LookEnd {
  readonly state: RepositoryState;
  readonly problem: Problem | undefined;
  /** Whether its tags were listed, and whether everything was looked at. */
  readonly isListed: boolean;
  readonly isComplete: boolean;
}

/**
 * Manifests without facts, as effects leave them: what tags name and nobody has tried to read, what could not be read, and what is known
 * to be here whether or not a tag names it.
 */
export type Unread = 'untried' | 'tried' | 'placed';

/**
 * Where one look at one repository is written. Every method rejects with `lease-lost` when another worker goes on with the crawl, and
 * with RecordsError where only this repository cannot be written down.
 */
export interface RepositoryRecords {
  /** What is known, by the clock that later times are compared with. */
  known(): Promise<KnownRepository>;
  /** One status for each digest. */
  statusOf(digests: readonly Digest[]): Promise<readonly ManifestStatus[]>;
  unreadManifests(options: { readonly which: Unread; readonly limit: number }): Promise<readonly Digest[]>;
  /** Facts for good, and that the manifests are here. */
  keepManifests(manifests: readonly ManifestFacts[]): Promise<void>;
  /** Of manifests that were read before: they are here too. */
  keepPlaces(digests: readonly Digest[]): Promise<void>;
  noteUnreadable(digest: Digest, problem: Problem): Promise<void>;
  /** Manifests that are known to be here and that no tag leads to any more: at most so many, others each time. */
  untagged(limit: number): Promise<readonly Digest[]>;
  /** Some manifests that are known to be here. */
  someManifests(limit: number): Promise<readonly Digest[]>;
  /** They are not here any more. */
  removePlaces(digests: readonly Digest[]): Promise<void>;
  settleTags(changes: TagChanges): Promise<void>;
  /** Ends this look. Where the repository is gone, so is everything in it. */
  settle(end: LookEnd): Promise<void>;
}

/** A repository that a crawl has still to look at. */
export interface QueuedRepository {
  readonly id: bigint;
  readonly name: RepositoryName;
  /** Whether this crawl's catalogue names it; undefined without one. */
  readonly isInCatalogue: boolean | undefined;
}

/** Where a crawl's list is from. */
export type ListedFrom = 'catalogue' | 'records';

/** What a crawl found, by what it was. */
export type CrawlCount =
  | 'repositories'
  | 'failed'
  | 'suspect'
  | 'gone'
  | 'tagsAdded'
  | 'tagsMoved'
  | 'tagsGone'
  | 'manifestsRead'
  | 'manifestsUnreadable'
  | 'manifestsGone'
  | 'referrers';

/** Where a crawl is written, under its lease. */
export interface CrawlRecords {
  readonly kind: CrawlKind;
  /** Whether the list of repositories was complete before this worker took the crawl over. */
  readonly isListed: boolean;
  /** Adds names, some at a time. */
  addRepositories(names: readonly RepositoryName[]): Promise<void>;
  /** The list is complete: what records name belongs to it too. */
  endList(from: ListedFrom, problem: Problem | undefined): Promise<void>;
  /** Of those that are left, the next by id. */
  next(after: bigint, limit: number): Promise<readonly QueuedRepository[]>;
  repository(repository: QueuedRepository): RepositoryRecords;
  /** Kept with the next look that ends. */
  count(what: CrawlCount, by: number): void;
}
