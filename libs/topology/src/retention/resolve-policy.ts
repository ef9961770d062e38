import { parseDuration } from '../duration.js';
import { parseSize } from '../size.js';
import type {
  ArtifactMatch,
  DeletionLimits,
  RepositorySelection,
  RetentionPolicy,
  RetentionProtection,
  RetentionRule,
  RetentionSchedule,
} from './policy.js';
import type { PolicyEntry, RuleEntry, ScheduleEntry } from './schema.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What a policy is given that does not say otherwise. */
export const usual = {
  graceMs: 24 * hourMs,
  softDelete: { ttlMs: 7 * dayMs },
  limits: { maxDeletePercent: 20, maxDeleteCount: 500, maxDeleteBytes: 500 * 2 ** 30 },
  protect: { immutable: [], minKeepPerRepository: 3, promotedWithinMs: 90 * dayMs, rollbackDepth: 3 },
} as const satisfies Partial<RetentionPolicy>;

/** A policy of the file with its defaults written out. `archive` is the topology's only archive, if it has just one. */
export function resolvePolicy(entry: PolicyEntry, archive: string | undefined): RetentionPolicy {
  const { name, registry, mode = 'dryRun', schedule, repositories, rules = [], untagged, protect, limits, grace, softDelete } = entry;
  return {
    name,
    registry,
    origin: 'declared',
    mode,
    schedule: scheduleOf(schedule),
    repositories: selectionOf(repositories),
    rules: rules.map((rule) => ruleOf(rule, archive)),
    ...(untagged === undefined ? {} : { untagged: { olderThanMs: msOf(untagged.olderThan) } }),
    protect: protectionOf(protect),
    limits: limitsOf(limits),
    graceMs: grace === undefined ? usual.graceMs : msOf(grace.markFor),
    ...softDeleteOf(softDelete),
  };
}

export function scheduleOf(entry: ScheduleEntry): RetentionSchedule {
  const { cron, timezone = 'UTC', window } = typeof entry === 'string' ? { cron: entry } : entry;
  const fields = cron.trim().split(/\s+/).join(' ');
  return { cron: fields, timezone, ...(window === undefined ? {} : { windowMs: msOf(window) }) };
}

function selectionOf(entry: PolicyEntry['repositories']): RepositorySelection {
  return Array.isArray(entry) ? { include: entry, exclude: [] } : { include: entry.include, exclude: entry.exclude ?? [] };
}

/** The strictest that is not written: a keep rule keeps by any of its criteria, a removal needs all of its own. */
function ruleOf(entry: RuleEntry, archive: string | undefined): RetentionRule {
  const { name, action, mostRecent, within, olderThan, absentFrom, to = archive } = entry;
  const match = matchOf(entry.match);
  if (action === 'keep') {
    return {
      name,
      action,
      match,
      criteria: entry.criteria ?? 'any',
      ...(mostRecent === undefined ? {} : { mostRecent }),
      ...(within === undefined ? {} : { within: { of: within.of, durationMs: msOf(within.duration) } }),
    };
  }
  return {
    name,
    action,
    ...(action === 'archive' && to !== undefined ? { to } : {}),
    match,
    criteria: entry.criteria ?? 'all',
    ...(olderThan === undefined ? {} : { olderThan: { of: olderThan.of, durationMs: msOf(olderThan.duration) } }),
    ...(absentFrom === undefined ? {} : { absentFrom: { registry: absentFrom.registry, durationMs: msOf(absentFrom.duration) } }),
  };
}

/** A state of `any` says nothing, so it is not there. */
function matchOf({ tagState, ...match }: NonNullable<RuleEntry['match']> = {}): ArtifactMatch {
  return tagState === undefined || tagState === 'any' ? match : { ...match, tagState };
}

function protectionOf({
  immutable,
  minKeepPerRepository,
  promotedWithin,
  rollbackDepth,
}: NonNullable<PolicyEntry['protect']> = {}): RetentionProtection {
  return {
    immutable: immutable ?? usual.protect.immutable,
    minKeepPerRepository: minKeepPerRepository ?? usual.protect.minKeepPerRepository,
    promotedWithinMs: promotedWithin === undefined ? usual.protect.promotedWithinMs : msOf(promotedWithin),
    rollbackDepth: rollbackDepth ?? usual.protect.rollbackDepth,
  };
}

function limitsOf({ maxDeletePercent, maxDeleteCount, maxDeleteBytes }: NonNullable<PolicyEntry['limits']> = {}): DeletionLimits {
  return {
    maxDeletePercent: percentOf(maxDeletePercent ?? usual.limits.maxDeletePercent),
    maxDeleteCount: maxDeleteCount ?? usual.limits.maxDeleteCount,
    maxDeleteBytes: maxDeleteBytes === undefined ? usual.limits.maxDeleteBytes : bytesOf(maxDeleteBytes),
  };
}

function softDeleteOf(entry: PolicyEntry['softDelete']): Pick<RetentionPolicy, 'softDelete'> {
  if (entry === 'off') return {};
  return { softDelete: entry === undefined ? usual.softDelete : { ttlMs: msOf(entry.ttl) } };
}

/** Of a text that the schema has passed. */
export function msOf(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new TypeError('a duration is none: the document was not checked');
  return ms;
}

function bytesOf(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined) throw new TypeError('a size is none: the document was not checked');
  return bytes;
}

function percentOf(entry: string | number): number {
  return typeof entry === 'number' ? entry : Number(entry.slice(0, -1));
}
