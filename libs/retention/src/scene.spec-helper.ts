import { createHash } from 'node:crypto';
import type { RemovalRule, RetentionPolicy, RetentionRule } from '@waybill/topology';
import { compilePolicy } from './compile/compile-policy.js';
import { planRepository } from './plan-repository.js';
import { compileProtections, type Protections } from './protections.js';
import type { ReasonCode } from './reasons.js';
import type { ArtifactDecision, RepositoryPlan, TagDecision } from './repository-plan.js';
import type { RepositorySnapshot, SnapshotManifest, SnapshotTag } from './snapshot.js';

export const day = 86_400_000;
export const now = Date.UTC(2026, 10, 22);
export const daysAgo = (days: number): number => now - days * day;

/** The digest that a name stands for. */
export function digest(name: string): string {
  return `sha256:${createHash('sha256').update(name).digest('hex')}`;
}

/** `sha256-<hex>` of a name's digest, as referrers and cosign tags begin. */
export function reservedTag(name: string, suffix = ''): string {
  return `${digest(name).replace(':', '-')}${suffix}`;
}

/** Pushed and seen 100 days ago, never pulled. Names stand for digests. */
export function manifest(
  name: string,
  facts: Partial<Omit<SnapshotManifest, 'digest'>> = {},
  links: { readonly children?: readonly string[]; readonly subject?: string } = {},
): SnapshotManifest {
  return {
    digest: digest(name),
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    size: 500,
    blobs: [],
    children: (links.children ?? []).map(digest),
    ...(links.subject === undefined ? {} : { subject: digest(links.subject) }),
    platforms: ['linux/amd64'],
    annotations: {},
    createdAt: daysAgo(101),
    pushedAt: daysAgo(100),
    firstSeenAt: daysAgo(100),
    untaggedAt: 'never',
    lastPulledAt: 'never',
    promotedTo: [],
    sources: [],
    absences: [],
    ...facts,
  };
}

/** A tag named `name` on what `of` stands for. */
export function tag(name: string, of: string, facts: Partial<Omit<SnapshotTag, 'name' | 'digest'>> = {}): SnapshotTag {
  return { name, digest: digest(of), taggedAt: daysAgo(100), seenSince: daysAgo(100), history: [], ...facts };
}

/** A repository of CI Snapshots that was crawled yesterday, and whose pulls are known for longer than anything is old. */
export function snapshot(facts: Partial<RepositorySnapshot> = {}): RepositorySnapshot {
  return {
    registry: 'ci-snapshots',
    role: 'ci-snapshots',
    repository: 'team/app',
    knowledge: {
      lastFullCrawlStartedAt: daysAgo(1),
      unreadableManifests: 0,
      isSuspect: false,
      pullsKnownSince: daysAgo(400),
      referrersKnownOf: 'all',
    },
    tags: [],
    manifests: [],
    ...facts,
  };
}

export const deleteAll: RemovalRule = { name: 'everything', action: 'delete', match: {}, criteria: 'all' };
export const deleteOld: RemovalRule = {
  name: 'old',
  action: 'delete',
  match: {},
  criteria: 'all',
  olderThan: { of: 'pushed', durationMs: 30 * day },
};

/** Covers everything, protects nothing by itself. */
export function policy(rules: readonly RetentionRule[], facts: Partial<RetentionPolicy> = {}): RetentionPolicy {
  return {
    name: 'policy',
    registry: 'ci-snapshots',
    origin: 'declared',
    mode: 'enforce',
    schedule: { cron: '0 3 * * *', timezone: 'UTC' },
    repositories: { include: ['**'], exclude: [] },
    rules,
    protect: { immutable: [], minKeepPerRepository: 0, promotedWithinMs: 0, rollbackDepth: 0 },
    limits: { maxDeletePercent: 100, maxDeleteCount: 1_000_000, maxDeleteBytes: Number.MAX_SAFE_INTEGER },
    graceMs: 0,
    ...facts,
  };
}

export const unprotected: Protections = {
  holds: [],
  inUse: { digests: new Map(), unknownScopes: [] },
  runningPromotions: [],
  provenanceTargets: new Set(),
  isImmutableTag: () => false,
  paths: [],
};

/** Plans with the policies as they are written. */
export function planOf(
  policies: readonly RetentionPolicy[],
  of: RepositorySnapshot,
  protections: Partial<Protections> = {},
  at = now,
): RepositoryPlan {
  const compiled = policies.flatMap((one) => compilePolicy(one) ?? []);
  return planRepository(compiled, of, compileProtections({ ...unprotected, ...protections }), at);
}

export function decisionOf(plan: RepositoryPlan, name: string): ArtifactDecision {
  const decision = plan.manifests.find((one) => one.digest === digest(name));
  if (decision === undefined) throw new Error(`nothing is decided about ${name}`);
  return decision;
}

export function tagDecisionOf(plan: RepositoryPlan, name: string): TagDecision {
  const decision = plan.tags.find((one) => one.tag === name);
  if (decision === undefined) throw new Error(`nothing is decided about the tag ${name}`);
  return decision;
}

export function codesOf(decision: ArtifactDecision | TagDecision): readonly ReasonCode[] {
  return decision.reasons.map(({ code }) => code);
}

/** What becomes of each of the names, and the codes of the reasons. */
export function outcome(plan: RepositoryPlan, name: string): string {
  const decision = decisionOf(plan, name);
  return `${decision.action}: ${codesOf(decision).join(', ')}`;
}

export function tagOutcome(plan: RepositoryPlan, name: string): string {
  const decision = tagDecisionOf(plan, name);
  return `${decision.action}: ${codesOf(decision).join(', ')}`;
}
