import type { Reason } from './reasons.js';

/** What is to become of one manifest. `archive` is: copy, verify the copy, then delete. */
export interface ArtifactDecision {
  readonly digest: string;
  readonly action: 'keep' | 'delete' | 'archive';
  /** Registries that must hold a verified copy first; sorted. */
  readonly archiveTo?: readonly string[];
  /** Kept for want of knowledge alone. */
  readonly isUnknown: boolean;
  /** Neither the child of an index nor a referrer, or tagged by somebody: what counts and limits are about. */
  readonly isLogical: boolean;
  readonly reasons: readonly Reason[];
}

/** What is to become of one tag. `delete` and `archive`: it goes with its digest. */
export interface TagDecision {
  readonly tag: string;
  readonly digest: string;
  readonly action: 'keep' | 'untag' | 'delete' | 'archive';
  readonly isUnknown: boolean;
  readonly reasons: readonly Reason[];
}

/** A decision and its reasons for everything in one repository. Equal snapshots, policies and times give equal plans. */
export interface RepositoryPlan {
  readonly registry: string;
  readonly repository: string;
  /** Every manifest, by digest. */
  readonly manifests: readonly ArtifactDecision[];
  /** Every tag, reserved ones too, by name. */
  readonly tags: readonly TagDecision[];
  /** What is deleted, parents before children, referrers after their subject. */
  readonly deletionOrder: readonly string[];
  /** Manifests and blobs that nothing kept in this repository needs; less is freed where other repositories share them. */
  readonly reclaimableBytesAtMost: number;
  readonly totals: PlanTotals;
}

export interface PlanTotals {
  /** Logical artifacts of the repository. */
  readonly artifacts: number;
  /** Logical artifacts that go, and tags that are taken off. */
  readonly removals: number;
}
