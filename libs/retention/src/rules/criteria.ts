import type { KeepRule } from '@waybill/topology';
import type { Verdict } from '../compile/artifact-match.js';
import type { CompiledRemoval, CompiledUntagged } from '../compile/compile-policy.js';
import type { Candidate } from './candidates.js';
import type { Bounds, Times } from './times.js';

/** A moment, and what is known of the repository's times at it. */
export interface Moment {
  readonly now: number;
  readonly times: Times;
}

/** Are a removal rule's criteria met? `unknown`: they are not, and would perhaps be if more were known. */
export function removalCriteria(rule: CompiledRemoval, candidate: Candidate, moment: Moment): Verdict {
  const { olderThan, absentFrom } = rule;
  const verdicts: Verdict[] = [];
  if (olderThan !== undefined) {
    verdicts.push(isOlder(moment.times.ageBounds(candidate, olderThan.of), olderThan.durationMs, moment.now));
  }
  if (absentFrom !== undefined) verdicts.push(isAbsent(candidate, absentFrom, moment));
  return combine(rule.criteria, verdicts);
}

/** Has an artifact without a tag been idle for as long as the policy allows? */
export function untaggedExpired({ olderThanMs }: CompiledUntagged, candidate: Candidate, { now, times }: Moment): Verdict {
  return isOlder(times.idleUntagged(candidate), olderThanMs, now);
}

/** Was it within the time? `unknown`: it may have been, and so it is kept. */
export function isWithin(within: NonNullable<KeepRule['within']>, candidate: Candidate, { now, times }: Moment): Verdict {
  const { latest } = times.bounds(candidate, within.of);
  if (latest === Number.POSITIVE_INFINITY) return 'unknown';
  return latest >= now - within.durationMs ? 'yes' : 'no';
}

/** All of none is met, and so is any of none: a rule without criteria is unconditional. */
export function combine(criteria: 'any' | 'all', verdicts: readonly Verdict[]): Verdict {
  if (verdicts.length === 0) return 'yes';
  const [decisive, other] = criteria === 'any' ? (['yes', 'no'] as const) : (['no', 'yes'] as const);
  if (verdicts.includes(decisive)) return decisive;
  return verdicts.includes('unknown') ? 'unknown' : other;
}

function isOlder({ latest }: Bounds, durationMs: number, now: number): Verdict {
  if (latest === Number.POSITIVE_INFINITY) return 'unknown';
  return latest < now - durationMs ? 'yes' : 'no';
}

function isAbsent({ manifest }: Candidate, absentFrom: NonNullable<CompiledRemoval['absentFrom']>, { now, times }: Moment): Verdict {
  const absence = manifest.absences.find(({ registry }) => registry === absentFrom.registry);
  if (absence?.since === 'present') return 'no';
  const since = times.sane(absence?.since ?? 'unknown');
  if (since === undefined) return 'unknown';
  return since < now - absentFrom.durationMs ? 'yes' : 'no';
}
