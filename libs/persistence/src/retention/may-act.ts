import type { Tables } from '../database.js';
import { executionStop, type ExecutionStopCode } from './execution-stop.js';

/**
 * Asks whether the run may mark and delete now: nobody cancelled it, the policy is in force in the words that were approved, nobody
 * paused it or revoked the approval, the registry is the same and is not being collected, and the window is open. The window is the
 * policy's; for deleting it is as much later as the grace is long.
 * @throws ExecutionStop
 */
export async function requireMayAct(tables: Tables, runId: string): Promise<void> {
  const [row] = await tables.$queryRaw<{ code: ExecutionStopCode | null }[]>`
    SELECT CASE
      WHEN u.cancel_requested_at IS NOT NULL THEN 'run-cancelled'
      WHEN r.replaced_at IS NOT NULL OR s.registry_id IS DISTINCT FROM u.registry_id THEN 'registry-replaced'
      WHEN s.retired_at IS NOT NULL THEN 'policy-retired'
      WHEN s.policy_hash <> u.policy_hash THEN 'policy-changed'
      WHEN s.snapshot ->> 'mode' <> 'enforce' THEN 'policy-not-enforced'
      WHEN s.paused_at IS NOT NULL THEN 'policy-paused'
      WHEN a.id IS NULL OR a.revoked_at IS NOT NULL THEN 'approval-revoked'
      WHEN u.window_ends_at + CASE u.state WHEN 'deleting' THEN (u.snapshot ->> 'graceMs')::float8 ELSE 0 END * interval '1 millisecond' < now()
        THEN 'window-over'
      WHEN EXISTS (SELECT FROM collection c WHERE c.registry_id = u.registry_id AND c.finished_at IS NULL AND c.pause_id IS NOT NULL)
        THEN 'registry-collected'
      END AS code
    FROM retention_run u JOIN registry r ON r.id = u.registry_id JOIN retention_schedule s ON s.policy = u.policy
      LEFT JOIN retention_approval a ON a.id = u.approval_id
    WHERE u.id = ${runId}::uuid`;
  if (row === undefined) throw executionStop('policy-retired');
  if (row.code !== null) throw executionStop(row.code);
}
