import type { Database } from '@waybill/persistence';

export type CountName = 'attempts' | 'bytes';

/** How often one target was tried, and how many bytes its attempts told of. */
export interface TargetCounts {
  readonly target: string;
  readonly attempts: number;
  readonly copied: number;
  readonly mounted: number;
  /** Bytes that were there. */
  readonly skipped: number;
  /** Leases at its location that ended with their worker. */
  readonly takeovers: number;
  /** Attempts of it that ended by themselves, with an error and a time for the next: a slow machine meets time limits. */
  readonly retries: number;
}

/** Of every target, in the order of their names. */
export async function countsOf(database: Database): Promise<TargetCounts[]> {
  return database.tables.$queryRaw<TargetCounts[]>`
    SELECT concat_ws(' ', i.position, r.name, t.repository) AS target, t.attempts, t.bytes_copied::int AS copied, t.bytes_mounted::int AS mounted,
      t.bytes_skipped::int AS skipped,
      (SELECT coalesce(sum(count), 0)::int FROM outcome_tally o WHERE o.subject = 'lease' AND o.name = t.location) AS takeovers,
      (SELECT count(DISTINCT e.body->'attempts')::int FROM event e WHERE e.promotion_id = t.promotion_id AND e.kind = 'target'
        AND e.body->>'target' = t.id::text AND e.body->>'state' = 'pending' AND e.body ? 'error' AND e.body ? 'dueAt') AS retries
    FROM item_target t JOIN promotion_item i ON i.id = t.item_id JOIN registry r ON r.id = t.registry_id ORDER BY 1`;
}

/**
 * What two runs of one scene must not differ in, `expected` being the one in which nobody died.
 *
 * A run that died may have begun an attempt, which nobody takes back: a target has at most one more for each lease that was
 * taken over where it is, and one for each that ended with an error of its own. Each attempt tells of all bytes at most
 * once, or, when it died before, not at all; what it had brought is there for the next one, so no more are told to have
 * been copied or mounted than when nobody dies.
 * Where there was neither all numbers are the same.
 */
export function countProblems(
  expected: readonly TargetCounts[],
  actual: readonly TargetCounts[],
  notCompared: readonly CountName[] = [],
): string[] {
  const others = new Map(expected.map((counts) => [counts.target, counts]));
  return actual.flatMap((counts) => {
    const other = others.get(counts.target);
    if (other === undefined) return [`too much: counts of ${counts.target}`];
    return rangesOf(other, counts).flatMap((range) => (notCompared.includes(range.name) ? [] : problemOf(range, counts)));
  });
}

/** What a number may be. */
interface Range {
  readonly name: CountName;
  readonly what: string;
  readonly found: number;
  readonly least: number;
  readonly most: number;
}

function rangesOf(expected: TargetCounts, { attempts, copied, mounted, skipped, takeovers, retries }: TargetCounts): Range[] {
  const all = expected.copied + expected.mounted + expected.skipped;
  const more = Math.max(attempts - expected.attempts, 0);
  const leastOf = (bytes: number): number => (takeovers + retries === 0 ? bytes : 0);
  return [
    { name: 'attempts', what: 'attempts', found: attempts, least: expected.attempts, most: expected.attempts + takeovers + retries },
    { name: 'bytes', what: 'bytes copied', found: copied, least: leastOf(expected.copied), most: expected.copied },
    { name: 'bytes', what: 'bytes mounted', found: mounted, least: leastOf(expected.mounted), most: expected.mounted },
    { name: 'bytes', what: 'bytes in all', found: copied + mounted + skipped, least: all, most: all * (1 + more) },
  ];
}

function problemOf({ what, found, least, most }: Range, { target, takeovers, retries }: TargetCounts): string[] {
  if (found >= least && found <= most) return [];
  return [`${what} of ${target}: ${found}, and not ${least} to ${most} after ${takeovers} leases were taken over and ${retries} errors`];
}
