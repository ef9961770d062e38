import type { Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { storableJson } from '../registry-checks/storable-json.js';
import { settleAsUnknown, type SparedReason } from './deletion-effects.js';
import { beginTrashPeriod } from './trash-period.js';

/**
 * Ends what a run has marked and not settled, in one repository or in all: what is marked stays, and of what was being deleted,
 * or copied elsewhere, nobody knows. What was being deleted may have gone this moment: it can be brought back for the whole period.
 */
export async function endMarks(tables: Tables, runId: string, reason: SparedReason, repository?: string): Promise<void> {
  const here = repository === undefined ? Prisma.empty : Prisma.sql`AND repository = ${repository}`;
  const { code, message } = reason;
  const maybeGone = await tables.$queryRaw<{ registryId: string; repository: string; digest: Uint8Array }[]>`
    WITH ended AS (
      UPDATE retention_mark SET state = CASE state WHEN 'marked' THEN 'spared' ELSE 'failed' END, settled_at = now(),
        error = ${storableJson({ code, message })}::jsonb
      WHERE run_id = ${runId}::uuid ${here} AND settled_at IS NULL
      RETURNING registry_id, repository, digest, state
    )
    SELECT registry_id AS "registryId", repository, digest FROM ended WHERE state = 'failed' ORDER BY repository, digest`;
  for (const { digest, ...place } of maybeGone) await beginTrashPeriod(tables, { runId, ...place }, digest);
  await settleAsUnknown(tables, runId, { ...(repository === undefined ? {} : { repository }), why: 'nobody read back what became of it' });
}

/** Writes down what has come of a run's repositories, of one or of all. Tags that were taken off count as what was deleted. */
export async function countOutcomes(tables: Tables, runId: string, repository?: string): Promise<void> {
  const here = repository === undefined ? Prisma.empty : Prisma.sql`AND y.repository = ${repository}`;
  await tables.$executeRaw`
    UPDATE retention_run_repository y SET
      deleted = (SELECT count(*) FROM retention_mark m WHERE m.run_id = y.run_id AND m.repository = y.repository AND m.state = 'deleted')
        + (SELECT count(*) FROM effect e WHERE e.retention_run_id = y.run_id AND e.registry_id = u.registry_id AND e.repository = y.repository
             AND e.kind = 'deletion' AND e.tag <> '' AND e.outcome = 'deleted'),
      spared = (SELECT count(*) FROM retention_mark m WHERE m.run_id = y.run_id AND m.repository = y.repository AND m.state IN ('spared', 'restored')),
      failed = (SELECT count(*) FROM retention_mark m WHERE m.run_id = y.run_id AND m.repository = y.repository AND m.state = 'failed')
    FROM retention_run u WHERE u.id = y.run_id AND y.run_id = ${runId}::uuid ${here}`;
  await tables.$executeRaw`
    UPDATE retention_run u SET (deleted, spared, failed) = (
      SELECT coalesce(sum(y.deleted), 0), coalesce(sum(y.spared), 0), coalesce(sum(y.failed), 0)
      FROM retention_run_repository y WHERE y.run_id = u.id)
    WHERE u.id = ${runId}::uuid`;
}
