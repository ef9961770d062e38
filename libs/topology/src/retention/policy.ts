/**
 * What a registry keeps, as the topology declares it and with every default filled in.
 * Plain, immutable and JSON-able: a policy is hashed, approved by that hash, and stored with every run.
 */
export interface RetentionPolicy {
  readonly name: string;
  readonly registry: string;
  /** Where it was written: by itself, by a registry's `retention: default`, or by a sandbox's `wipe`. */
  readonly origin: 'declared' | 'role-default' | 'wipe';
  readonly mode: RetentionMode;
  readonly schedule: RetentionSchedule;
  readonly repositories: RepositorySelection;
  readonly rules: readonly RetentionRule[];
  /** Absent: what no tag refers to is kept. */
  readonly untagged?: { readonly olderThanMs: number };
  readonly protect: RetentionProtection;
  readonly limits: DeletionLimits;
  /** How long a marked artifact waits before it is read again and deleted. */
  readonly graceMs: number;
  /** How long what was deleted can be brought back; absent: it cannot. */
  readonly softDelete?: { readonly ttlMs: number };
}

/** `dryRun` plans and records; `enforce` acts, once the policy's hash has been approved. */
export type RetentionMode = 'disabled' | 'dryRun' | 'enforce';

export interface RetentionSchedule {
  /** Five fields: minute, hour, day of month, month, day of week. */
  readonly cron: string;
  /** IANA name. */
  readonly timezone: string;
  /** A run begins no later than this after its time, and begins no deletion after it. */
  readonly windowMs?: number;
}

/** Globs over the repository's name relative to the registry's prefix. */
export interface RepositorySelection {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/**
 * A rule applies to an artifact when all that `match` says is so, and its criteria: any or all of those that are written.
 * `keep` wins over every other rule of every policy; what no rule applies to is kept.
 */
export type RetentionRule = KeepRule | RemovalRule;

interface RuleScope {
  readonly name: string;
  readonly match: ArtifactMatch;
}

/** Without criteria it keeps whatever it matches. */
export interface KeepRule extends RuleScope {
  readonly action: 'keep';
  readonly criteria: 'any' | 'all';
  readonly mostRecent?: MostRecent;
  readonly within?: { readonly of: AgeOf; readonly durationMs: number };
}

/** Without criteria it removes whatever it matches. */
export interface RemovalRule extends RuleScope {
  readonly action: 'delete' | 'archive' | 'untag';
  /** Only with `archive`: the registry that must hold a verified copy first. */
  readonly to?: string;
  readonly criteria: 'any' | 'all';
  readonly olderThan?: { readonly of: AgeOf; readonly durationMs: number };
  /** The digest has not been at that registry, under any repository, for this long. */
  readonly absentFrom?: { readonly registry: string; readonly durationMs: number };
}

/** Times of a logical artifact. `lastActive` is the latest of pushed and pulled. */
export type AgeOf = 'pushed' | 'pulled' | 'created' | 'tagged' | 'lastActive';

/** Counts logical artifacts: children, signatures and attestations are never counted. */
export interface MostRecent {
  readonly by: 'pushed' | 'pulled' | 'created' | 'tagged' | 'semver' | 'promoted';
  readonly count: number;
  /** RE2 expression; tags whose first group (or whole match) is equal are counted together. Absent: the repository is one group. */
  readonly groupBy?: string;
}

/** All that is written must hold; an empty match is every artifact. */
export interface ArtifactMatch {
  readonly repositories?: readonly string[];
  readonly tags?: TagMatch;
  readonly tagState?: 'tagged' | 'untagged' | 'any';
  readonly mediaTypes?: readonly string[];
  readonly artifactTypes?: readonly string[];
  /** `os/architecture[/variant]`; one of them. */
  readonly platforms?: readonly string[];
  /** Glob over the value by key, see `annotationMatcher`; all of them. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly signed?: boolean;
  /** Waybill brought the digest to this registry, or `any`. */
  readonly promotedTo?: string;
  /** Waybill brought the digest here from this registry, or `any`. */
  readonly source?: string;
}

/** Exactly one of the three is written. */
export interface TagMatch {
  readonly glob?: readonly string[];
  /** RE2 expression that the whole tag must match. */
  readonly regex?: string;
  /** A range of node-semver, over tags with or without a leading `v`. */
  readonly semver?: string;
}

export interface RetentionProtection {
  /** Tags that are never removed, beside the registry's own immutable tags. */
  readonly immutable: readonly string[];
  /** Artifacts with a tag that a repository never falls below, the most recently pushed. */
  readonly minKeepPerRepository: number;
  /** What was promoted from here stays this long after its promotion. */
  readonly promotedWithinMs: number;
  /** Earlier digests of every kept tag that stay for a roll back. */
  readonly rollbackDepth: number;
}

/** What one run may remove of one registry; beyond any of them nothing is removed and the run waits for an approval. */
export interface DeletionLimits {
  readonly maxDeletePercent: number;
  readonly maxDeleteCount: number;
  readonly maxDeleteBytes: number;
}
