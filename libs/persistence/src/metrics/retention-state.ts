import type { Database } from '../database.js';

/** How retention goes, policy by policy; those that left the topology are left out. */
export interface RetentionState {
  readonly openRuns: readonly { readonly policy: string; readonly state: string; readonly count: number }[];
  readonly policies: readonly PolicyState[];
  /** How often runs have ended so, since there is this database. */
  readonly runsEnded: readonly { readonly policy: string; readonly state: string; readonly count: number }[];
  /** What has come of what runs were to remove: manifests, and tags that were taken off. */
  readonly removals: readonly { readonly policy: string; readonly outcome: string; readonly count: number }[];
}

export interface PolicyState {
  readonly policy: string;
  /** Seconds since it should have run; 0 while it need not, or is paused. */
  readonly overdue: number;
  /** Seconds since its last run that succeeded had ended; null when there was none. */
  readonly successAge: number | null;
  /** Of its last run that was planned and has ended. */
  readonly lastRun: { readonly seconds: number; readonly removals: number; readonly unknown: number; readonly bytesAtMost: number } | null;
}

/** Reads what is open through an index that holds nothing else, and of each policy its last runs: it costs the same in the tenth year. */
export async function readRetentionState({ tables }: Database): Promise<RetentionState> {
  const [openRuns, policies, runsEnded, removals] = await Promise.all([
    tables.$queryRaw<RetentionState['openRuns']>`
      SELECT policy, state, count(*)::integer AS count FROM retention_run WHERE finished_at IS NULL GROUP BY policy, state ORDER BY policy, state`,
    tables.$queryRaw<PolicyState[]>`
      SELECT s.policy,
        CASE WHEN s.paused_at IS NULL THEN coalesce(greatest(extract(epoch FROM now() - s.next_due_at), 0), 0) ELSE 0 END::float8 AS overdue,
        (SELECT extract(epoch FROM now() - r.finished_at)::float8 FROM retention_run r
          WHERE r.policy = s.policy AND r.state = 'succeeded' ORDER BY r.id DESC LIMIT 1) AS "successAge",
        (SELECT json_build_object('seconds', extract(epoch FROM r.finished_at - r.started_at), 'removals', r.removals, 'unknown', r.unknown,
            'bytesAtMost', r.bytes_at_most)
          FROM retention_run r WHERE r.policy = s.policy AND r.finished_at IS NOT NULL AND r.planned_at IS NOT NULL
          ORDER BY r.id DESC LIMIT 1) AS "lastRun"
      FROM retention_schedule s WHERE s.retired_at IS NULL ORDER BY s.policy`,
    tables.$queryRaw<RetentionState['runsEnded']>`
      SELECT name AS policy, outcome AS state, count::float8 FROM outcome_tally WHERE subject = 'retention-run' ORDER BY name, outcome`,
    tables.$queryRaw<RetentionState['removals']>`
      SELECT name AS policy, outcome, count::float8 FROM outcome_tally WHERE subject = 'retention-removal' ORDER BY name, outcome`,
  ]);
  return { openRuns, policies, runsEnded, removals };
}
