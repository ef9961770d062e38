import type { WaybillError } from '@waybill/kernel';
import type { Digest, Manifest, Removal, RepositoryName, Tag } from '@waybill/oci-model';
import type { RepositoryPlan } from '../repository-plan.js';
import type { RepositorySnapshot } from '../snapshot.js';

/** A decision of the stored plan that something goes. */
export interface Condemned {
  /** Its place in the plan, in which order it is executed. */
  readonly position: number;
  readonly digest: Digest;
  /** Empty for the manifest. */
  readonly tag: Tag | '';
  readonly verdict: 'delete' | 'archive' | 'untag';
  readonly archiveTo: readonly string[];
  /** Codes of the plan's reasons. */
  readonly reasons: readonly string[];
  /** The inventory holds the manifest's bytes. */
  readonly isRead: boolean;
}

/** Why something that was condemned stays; a code for programs and a clause for people. */
export interface SparedReason {
  readonly code: string;
  readonly message: string;
}

/**
 * `deleting`: a deletion is intended, and whether it was sent is not known. `failed`: the registry still has it, or cannot say.
 * `restored`: it was deleted and brought back at once.
 */
export type MarkState = 'marked' | 'deleting' | 'deleted' | 'spared' | 'failed' | 'restored';

/** A manifest that was marked before it goes. */
export interface Mark {
  readonly digest: Digest;
  readonly state: MarkState;
}

/** A manifest to mark; without its bytes the inventory has read it. */
export interface NewMark {
  readonly digest: Digest;
  readonly manifest?: Pick<Manifest, 'bytes' | 'mediaType'>;
}

/** One deletion at the registry: of a manifest, or of a tag that leaves its manifest. */
export interface DeletionTarget {
  readonly digest: Digest;
  /** Empty for the manifest. */
  readonly tag: Tag | '';
}

/** A deletion that was intended and of which nobody wrote down what came of it. */
export interface OpenDeletion extends DeletionTarget {
  readonly effectId: string;
}

/** What was found at the registry after a deletion. */
export type DeletionOutcome =
  /** `tagsGone`: those of its tags that name nothing any more. */
  | { readonly outcome: 'gone'; readonly tagsGone: readonly Tag[] }
  | { readonly outcome: 'there'; readonly reason: SparedReason }
  /** The registry could not say. */
  | { readonly outcome: 'unknown'; readonly reason: SparedReason };

/** A push that was lost with what this run has deleted: a tag that names nothing any more, and what it is to name again. */
export interface LostPush {
  readonly tag: Tag;
  readonly digest: Digest;
  /** `pushed`: it was told to be written on the digest, which was deleted. `there`: it named the digest when it was seen last. */
  readonly was: 'pushed' | 'there';
}

/** A tag that names nothing any more, and what it was seen to name last. */
export interface MissedTag {
  readonly tag: Tag;
  readonly digest: Digest;
}

/** `known`: the records say who took a tag away. `possible`: a purge of something else in the repository may have. */
export type TakenAway = 'known' | 'possible';

/** What was done about what went along with deletions. */
export interface Restored {
  /** What came back, or has a tag back. */
  readonly restored: readonly Digest[];
  /** Tags that name nothing since something was deleted, and of which nobody knows why. */
  readonly missing: readonly Tag[];
}

/**
 * What a run writes down of one repository, under its lease. Every method rejects when the lease is lost, and writes nothing then;
 * said twice each is the same.
 */
export interface ExecutionRecords {
  /** In the order of the plan, after a position. */
  condemned(page: { readonly after: number; readonly limit: number }): Promise<readonly Condemned[]>;
  /** What may not be marked, as for a promotion under way, is spared. */
  mark(marks: readonly NewMark[]): Promise<void>;
  marks(): Promise<readonly Mark[]>;
  /** The bytes that were kept when it was marked. */
  manifestOf(digest: Digest): Promise<Manifest | undefined>;
  /** It stays; where its deletion was intended, it was read back and is there. */
  spare(digest: Digest, reason: SparedReason): Promise<void>;
  /** Intends a deletion; `spared` when something needs it by now, which is written down; `done` when it was settled before. */
  begin(target: DeletionTarget): Promise<'spared' | 'done' | { readonly effectId: string }>;
  settle(effectId: string, outcome: DeletionOutcome): Promise<void>;
  unsettled(): Promise<readonly OpenDeletion[]>;
  /** Rejects where the run may not delete now: then nothing more is copied for it. */
  requireMayAct(): Promise<void>;
  /** Of tags that name nothing since this run deleted something: those that the registry told of, and those that looks at the repository miss. */
  pushedMeanwhile(): Promise<readonly LostPush[]>;
  /** Whether somebody took a tag away that was missed, since the repository was read again; undefined where nobody is known to have. */
  takenAway(missed: MissedTag): Promise<TakenAway | undefined>;
  /** It is about to be pushed back, with these tags. */
  restoring(digest: Digest, tags: readonly Tag[]): Promise<void>;
  /** It is back, with these tags. */
  restored(digest: Digest, tags: readonly Tag[]): Promise<void>;
}

/** The repository at its registry. Every method rejects with ContentError. */
export interface DeletingRegistry {
  readManifest(digest: Digest, signal: AbortSignal): Promise<Manifest>;
  /** Trouble rejects: unknown is not absent. */
  hasManifest(digest: Digest, signal: AbortSignal): Promise<boolean>;
  resolveTag(tag: Tag, signal: AbortSignal): Promise<Digest | undefined>;
  /** Rejects with `not-found` where the registry knows no tag of the repository. */
  listTags(signal: AbortSignal): AsyncIterable<Tag>;
  deleteManifest(digest: Digest, signal: AbortSignal): Promise<Removal>;
  /** Takes the tag off and leaves the manifest; `moved` where it names another digest, which it is left on. */
  untag(tag: Tag, digest: Digest, signal: AbortSignal): Promise<Removal | 'moved'>;
  pushManifest(manifest: Manifest, signal: AbortSignal): Promise<void>;
  putTag(tag: Tag, manifest: Manifest, signal: AbortSignal): Promise<void>;
}

/** What is known of a repository now, and what the run's policy would do with it. */
export interface FreshKnowledge {
  readonly snapshot: RepositorySnapshot;
  readonly plan: RepositoryPlan;
}

/** The repository as it is now. */
export interface FreshPlan {
  /**
   * Looks at all of it at the registry, and plans anew with the run's policy and today's protections. Rejects with WaybillError when
   * anything could not be listed or read, or cannot be believed: then nothing of it may be deleted.
   */
  plan(signal: AbortSignal): Promise<FreshKnowledge>;
  /** Looks at it again after deletions. Rejects with WaybillError when its tags could not be listed. */
  look(signal: AbortSignal): Promise<RepositorySnapshot>;
}

/** A manifest that is about to be deleted. */
export interface Departing {
  readonly digest: Digest;
  readonly manifest: Manifest;
  /** Those that name it. */
  readonly tags: readonly Tag[];
}

/** What was deleted can be brought back from here for a while. Absent where the policy says that it cannot. */
export interface TrashPort {
  /**
   * Holds the manifest and all that is right beneath it, before it is deleted; children come before what lists them.
   * Said twice it is the same. Rejects with WaybillError: then it is not deleted.
   */
  keep(departing: Departing, signal: AbortSignal): Promise<void>;
}

/** Copies for good at other registries. */
export interface ArchivePort {
  /**
   * Afterwards each registry of `to` holds a verified copy under the same tags, an index before what it lists, each with all beneath it.
   * Said twice it is the same. Rejects with WaybillError: then it is not deleted.
   */
  hold(departing: Departing, to: readonly string[], signal: AbortSignal): Promise<void>;
}

/** All that the execution of one repository of a run is done with. */
export interface ExecutionPorts {
  readonly repository: RepositoryName;
  readonly records: ExecutionRecords;
  readonly registry: DeletingRegistry;
  readonly fresh: FreshPlan;
  readonly archive: ArchivePort;
  readonly trash?: TrashPort;
  /** Whether an error is about what was to be read or copied, which stays then. Any other ends the work, and is thrown on. */
  readonly isTrouble: (error: unknown) => error is WaybillError;
}
