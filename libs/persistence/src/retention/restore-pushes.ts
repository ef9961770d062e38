import { type Digest, digestFromBytes, digestToBytes, type Tag } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import type { DeletionPlace } from './deletion-effects.js';
import { type RunWrite, settleWrites } from './run-writes.js';

/** A tag that somebody wrote on a digest that the run has deleted. */
export interface LostPush {
  readonly tag: Tag;
  readonly digest: Digest;
}

/** What others were seen to push since the deletion of it was intended. */
export async function pushesSince(tables: Tables, runId: string, repository: string): Promise<LostPush[]> {
  const rows = await tables.$queryRaw<{ tag: Tag; digest: Uint8Array }[]>`
    WITH gone AS MATERIALIZED (
      SELECT e.registry_id, e.digest, e.intended_at FROM effect e JOIN retention_run u ON u.id = e.retention_run_id AND u.registry_id = e.registry_id
      WHERE e.retention_run_id = ${runId}::uuid AND e.repository = ${repository} AND e.kind = 'deletion' AND e.tag = '' AND e.outcome = 'deleted'
        AND e.outcome IS DISTINCT FROM 'not-written' AND e.outcome IS DISTINCT FROM 'not-deleted'
    )
    SELECT DISTINCT v.tag, v.digest
    FROM gone g
      JOIN tag_event v ON v.digest = g.digest AND v.registry_id = g.registry_id AND v.repository = ${repository} AND v.observed_at >= g.intended_at
      JOIN retention_mark m ON m.registry_id = g.registry_id AND m.repository = ${repository} AND m.digest = g.digest AND m.run_id = ${runId}::uuid
    WHERE m.state = 'deleted'
    ORDER BY v.digest, v.tag`;
  return rows.map(({ tag, digest }) => ({ tag, digest: digestFromBytes(digest) }));
}

/** It was pushed again and read back: effects with their records, its mark, and what the inventory says. */
export async function settleRestore(tables: Tables, place: DeletionPlace, restore: RunWrite): Promise<void> {
  await tables.$executeRaw`
    UPDATE retention_mark SET state = 'restored',
      error = jsonb_build_object('code', 'pushed-meanwhile', 'message', 'somebody pushed it as it was deleted: it was pushed again')
    WHERE run_id = ${place.runId}::uuid AND repository = ${place.repository} AND digest = ${digestToBytes(restore.digest)} AND state = 'deleted'`;
  await settleWrites(tables, place, { ...restore, reason: 'somebody pushed it as it was deleted' });
}
