import type { Role } from '../roles.js';
import type { RemovalRule, RetentionPolicy, RetentionRule } from './policy.js';
import { scheduleOf, usual } from './resolve-policy.js';
import type { RegistryRetentionEntry, WipeEntry } from './schema.js';

const dayMs = 86_400_000;

interface RoleRetention {
  readonly rules: readonly RetentionRule[];
  /** Removed when no tag refers to it for so long; absent: kept. */
  readonly untaggedMs?: number;
  readonly minKeepPerRepository?: number;
}

function keepRecent(count: number): RetentionRule {
  return { name: 'recent', action: 'keep', match: { tagState: 'tagged' }, criteria: 'any', mostRecent: { by: 'pushed', count } };
}

/** What nobody pushed or pulled for so many days. */
function deleteIdle(days: number): RemovalRule {
  const olderThan = { of: 'lastActive', durationMs: days * dayMs } as const;
  return { name: 'idle', action: 'delete', match: { tagState: 'tagged' }, criteria: 'all', olderThan };
}

/** A replica gives up what its prod has given up, and only that: it holds at least its selection. */
function deleteGone(prod: string): RemovalRule {
  return { name: 'gone', action: 'delete', match: {}, criteria: 'all', absentFrom: { registry: prod, durationMs: 30 * dayMs } };
}

const ofRole: Readonly<Partial<Record<Role, RoleRetention>>> = {
  sandbox: { rules: [deleteIdle(30)], untaggedMs: 7 * dayMs, minKeepPerRepository: 0 },
  'ci-tests': { rules: [deleteIdle(14)], untaggedMs: 7 * dayMs },
  'ci-snapshots': { rules: [keepRecent(10), deleteIdle(90)], untaggedMs: 14 * dayMs },
  staging: { rules: [keepRecent(10), deleteIdle(180)], untaggedMs: 30 * dayMs },
  prod: { rules: [], untaggedMs: 90 * dayMs },
};

/** Roles whose registries may say `retention: default`. An archive deletes only by rules that somebody wrote. */
export function hasUsualRetention(role: Role): boolean {
  return role === 'replica' || ofRole[role] !== undefined;
}

interface Origin {
  readonly name: string;
  readonly role: Role;
  /** Of a replica. */
  readonly of?: string | undefined;
}

/** The policy that `retention: default` of a registry means: `<registry>-default`, which plans every night unless told otherwise. */
export function rolePolicy({ name, role, of }: Origin, entry: RegistryRetentionEntry): RetentionPolicy {
  const usualOfRole = of === undefined ? ofRole[role] : { rules: [deleteGone(of)] };
  if (usualOfRole === undefined) throw new TypeError(`role "${role}" has no usual retention: the document was not checked`);
  const { rules, untaggedMs, minKeepPerRepository = usual.protect.minKeepPerRepository } = usualOfRole;
  const { mode = 'dryRun', schedule = '0 3 * * *' } = entry === 'default' ? {} : entry;
  return {
    ...usual,
    name: `${name}-default`,
    registry: name,
    origin: 'role-default',
    mode,
    schedule: scheduleOf(schedule),
    repositories: everything,
    rules,
    ...(untaggedMs === undefined ? {} : { untagged: { olderThanMs: untaggedMs } }),
    protect: { ...usual.protect, minKeepPerRepository },
  };
}

const everything = { include: ['**'], exclude: [] } as const;

/**
 * The policy that `wipe` of a sandbox means: `<registry>-wipe`. It removes everything but the tags to keep,
 * at once and without limits, which would only stop every wipe; for a week it can be brought back.
 */
export function wipePolicy(name: string, { schedule, keep, mode = 'dryRun' }: WipeEntry): RetentionPolicy {
  const kept: RetentionRule[] =
    keep === undefined ? [] : [{ name: 'keep', action: 'keep', match: { tags: { glob: keep } }, criteria: 'any' }];
  return {
    ...usual,
    name: `${name}-wipe`,
    registry: name,
    origin: 'wipe',
    mode,
    schedule: scheduleOf(schedule),
    repositories: everything,
    rules: [...kept, { name: 'wipe', action: 'delete', match: {}, criteria: 'all' }],
    protect: { immutable: [], minKeepPerRepository: 0, promotedWithinMs: 0, rollbackDepth: 0 },
    limits: { maxDeletePercent: 100, maxDeleteCount: Number.MAX_SAFE_INTEGER, maxDeleteBytes: Number.MAX_SAFE_INTEGER },
    graceMs: 0,
  };
}
