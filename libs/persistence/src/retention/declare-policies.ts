import { parseCron, policyHash, type RetentionPolicy } from '@waybill/topology';
import type { Tables } from '../database.js';
import { notify } from '../notify.js';

/**
 * Makes the schedules say what the revision declares, in the transaction that applies it. A policy whose times are the same keeps
 * the one that is next, so applying again and again puts nothing off; what it paused stays paused. One that has left is retired:
 * its row, its runs and its approvals stay.
 */
export async function declarePolicies(tables: Tables, revision: bigint, policies: readonly RetentionPolicy[]): Promise<void> {
  const [clock] = await tables.$queryRaw<{ now: Date }[]>`SELECT now()`;
  if (clock === undefined) throw new Error('the database does not say what time it is');
  const declared = policies.map((policy) => ({
    policy: policy.name,
    registry: policy.registry,
    hash: policyHash(policy),
    snapshot: JSON.stringify(policy),
    next: nextDue(policy, clock.now)?.toISOString(),
  }));
  await tables.$executeRaw`
    INSERT INTO retention_schedule AS s (policy, registry_id, revision, policy_hash, snapshot, next_due_at)
    SELECT d.policy, r.id, ${revision}, decode(d.hash, 'hex'), d.snapshot::json, d.next
    FROM jsonb_to_recordset(${JSON.stringify(declared)}::jsonb) AS d (policy text, registry text, hash text, snapshot text, next timestamptz)
      JOIN registry r ON r.name = d.registry AND r.replaced_at IS NULL
    ON CONFLICT (policy) DO UPDATE SET
      registry_id = excluded.registry_id, revision = excluded.revision, policy_hash = excluded.policy_hash, snapshot = excluded.snapshot,
      retired_at = NULL,
      next_due_at = CASE
        WHEN excluded.next_due_at IS NULL OR (s.snapshot #>> '{schedule,cron}', s.snapshot #>> '{schedule,timezone}')
          IS DISTINCT FROM (excluded.snapshot #>> '{schedule,cron}', excluded.snapshot #>> '{schedule,timezone}') THEN excluded.next_due_at
        ELSE coalesce(s.next_due_at, excluded.next_due_at)
      END`;
  await tables.$executeRaw`
    UPDATE retention_schedule SET retired_at = now(), next_due_at = NULL
    WHERE retired_at IS NULL AND policy <> ALL(${policies.map(({ name }) => name)}::text[])`;
  if (policies.length > 0) await notify(tables, 'retention');
}

/** Undefined where the policy does not run by itself. */
export function nextDue({ mode, schedule }: RetentionPolicy, after: Date): Date | undefined {
  if (mode === 'disabled') return undefined;
  const parsed = parseCron(schedule.cron, schedule.timezone);
  // It was read when the topology was; another version of this program may have read it.
  return parsed.ok ? parsed.cron.nextAfter(after) : undefined;
}
