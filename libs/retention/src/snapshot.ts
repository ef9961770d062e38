import type { Role } from '@waybill/topology';

/** Milliseconds since 1970, or that nobody knows. */
export type KnownTime = number | 'unknown';

/** All that is known of one repository, read at one moment. */
export interface RepositorySnapshot {
  readonly registry: string;
  readonly role: Role;
  /** For a replica: the registry that it repeats. */
  readonly replicaOf?: string;
  /** Relative to the registry's prefix. */
  readonly repository: string;
  readonly knowledge: RepositoryKnowledge;
  readonly tags: readonly SnapshotTag[];
  readonly manifests: readonly SnapshotManifest[];
}

export interface RepositoryKnowledge {
  /** Start of the last full crawl that came to its end. */
  readonly lastFullCrawlStartedAt: number | 'none';
  /** Manifests that are there and could not be read: what they refer to is unknown. */
  readonly unreadableManifests: number;
  /** What was seen last cannot be believed, e.g. most tags were gone at once. */
  readonly isSuspect: boolean;
  /** Since when every pull has been noted, without a gap until now. */
  readonly pullsKnownSince: KnownTime;
  /** Of which artifacts the registry was asked what refers to them: what is not in the snapshot may sign the others. */
  readonly referrersKnownOf: 'all' | 'tagged';
}

export interface SnapshotTag {
  readonly name: string;
  readonly digest: string;
  /** When it was written, first or again. */
  readonly taggedAt: KnownTime;
  /** Since when it is known to name this digest. */
  readonly seenSince: number;
  /** Digests that it named before, the latest first. */
  readonly history: readonly string[];
}

export interface SnapshotManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly artifactType?: string | undefined;
  /** Of the manifest itself, in bytes. */
  readonly size: number;
  readonly blobs: Iterable<SnapshotBlob>;
  /** Digests of the manifests that an index lists, in this repository or not. */
  readonly children: readonly string[];
  readonly subject?: string | undefined;
  /** `os/architecture[/variant]`; of an index those of its children. Unknown where one of them may be missing. */
  readonly platforms: readonly string[] | 'unknown';
  readonly annotations: Readonly<Record<string, string>>;
  /** It has more annotations, or longer ones, than were kept. */
  readonly lacksAnnotations?: boolean;
  readonly createdAt: KnownTime;
  readonly pushedAt: KnownTime;
  readonly firstSeenAt: number;
  /** When a user's tag last left it, by moving on or by being deleted. */
  readonly untaggedAt: KnownTime | 'never';
  /** By anyone but Waybill and what it knows to be no consumer; `never` says nothing about before `pullsKnownSince`. */
  readonly lastPulledAt: KnownTime | 'never';
  /** Where Waybill brought it from here. */
  readonly promotedTo: readonly PromotedTo[];
  /** From where Waybill brought it here. */
  readonly sources: readonly string[];
  /** About the registries that the policies ask about. */
  readonly absences: readonly Absence[];
}

export interface SnapshotBlob {
  /** Its digest, or whatever else tells it from the other blobs of the repository. */
  readonly id: string;
  readonly size: number;
}

export interface PromotedTo {
  readonly registry: string;
  readonly at: number;
}

/** Whether the digest is at another registry, under any repository. */
export interface Absence {
  readonly registry: string;
  readonly since: number | 'present' | 'unknown';
}
