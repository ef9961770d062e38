import type { Tables } from '../database.js';
import { notify } from '../notify.js';
import type { PolicyRow } from './policies.js';

/** How a run came about. */
export type RunOrigin =
  | {
      readonly trigger: 'schedule';
      /** When its window is over; absent where the policy has none. */
      readonly windowEndsAt?: Date;
    }
  | {
      readonly trigger: 'manual';
      readonly by: string;
      readonly reason?: string;
      /** It removes nothing, whatever was approved. */
      readonly isDryRun: boolean;
      /** Gives a row to what is kept too, with its reasons. */
      readonly detail: 'removals' | 'all';
    };

/** A run acts where the policy says so, somebody approved these very words, and nobody paused it; else it plans. */
function modeOf({ policy, approval, pausedAt }: PolicyRow, origin: RunOrigin): 'dryRun' | 'enforce' {
  const mayAct = policy.mode === 'enforce' && approval !== undefined && pausedAt === null;
  return mayAct && (origin.trigger === 'schedule' || !origin.isDryRun) ? 'enforce' : 'dryRun';
}

/** Makes a run of a policy that is locked; false where one is under way. */
export async function insertRun(tables: Tables, id: string, policy: PolicyRow, origin: RunOrigin): Promise<boolean> {
  const { by = null, reason = null, detail = 'removals' } = origin.trigger === 'manual' ? origin : {};
  const windowEndsAt = origin.trigger === 'schedule' ? (origin.windowEndsAt ?? null) : null;
  const mode = modeOf(policy, origin);
  const made = await tables.$executeRaw`
    INSERT INTO retention_run (id, policy, registry_id, revision, policy_hash, snapshot, trigger, requested_by, reason, detail, mode,
      window_ends_at, approval_id, state)
    SELECT ${id}::uuid, s.policy, s.registry_id, s.revision, s.policy_hash, s.snapshot, ${origin.trigger}, ${by}::uuid, ${reason}, ${detail},
      ${mode}, ${windowEndsAt}, ${mode === 'enforce' ? (policy.approval?.id ?? null) : null}::uuid, 'planning'
    FROM retention_schedule s WHERE s.policy = ${policy.name}
    ON CONFLICT (policy) WHERE finished_at IS NULL DO NOTHING`;
  if (made > 0) await notify(tables, 'retention');
  return made > 0;
}
