import type { IdSource } from '@waybill/kernel';
import { type Digest, digestFromBytes, digestToBytes, type Tag } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import { type DeletionPlace, recordOfRun, settledOfRun } from './deletion-effects.js';

/** A tag that somebody wrote on a digest that the run has deleted. */
export interface LostPush {
  readonly tag: Tag;
  readonly digest: Digest;
}

export interface Restore {
  readonly digest: Digest;
  readonly tags: readonly Tag[];
  readonly ids: IdSource;
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

/** Effects of the manifest and of each tag, as intended; those that stand open already stay. */
export async function intendRestore(tables: Tables, place: DeletionPlace, { digest, tags, ids }: Restore): Promise<void> {
  const { runId, registryId, repository } = place;
  const kinds = ['manifest', ...tags.map(() => 'tag')];
  await tables.$executeRaw`
    INSERT INTO effect (id, retention_run_id, kind, registry_id, repository, digest, tag, state)
    SELECT w.id, ${runId}::uuid, w.kind, ${registryId}::uuid, ${repository}, ${digestToBytes(digest)}, w.tag, 'intended'
    FROM unnest(${kinds.map(() => ids.next())}::uuid[], ${kinds}::text[], ${['', ...tags]}::text[]) AS w (id, kind, tag)
    ON CONFLICT (retention_run_id, registry_id, repository, kind, digest, tag)
      WHERE retention_run_id IS NOT NULL AND outcome IS DISTINCT FROM 'not-written' AND outcome IS DISTINCT FROM 'not-deleted' DO NOTHING`;
}

/** It was pushed again and read back: effects with their records, its mark, and what the inventory says. */
export async function settleRestore(tables: Tables, place: DeletionPlace, restore: Restore): Promise<void> {
  const { runId, registryId, repository } = place;
  const bytes = digestToBytes(restore.digest);
  await intendRestore(tables, place, restore);
  await tables.$executeRaw`
    UPDATE retention_mark SET state = 'restored',
      error = jsonb_build_object('code', 'pushed-meanwhile', 'message', 'somebody pushed it as it was deleted: it was pushed again')
    WHERE run_id = ${runId}::uuid AND repository = ${repository} AND digest = ${bytes} AND state = 'deleted'`;
  await tables.$executeRaw`
    INSERT INTO placement (registry_id, repository, digest, seen_by)
    SELECT ${registryId}::uuid, ${repository}, digest, ${runId}::uuid FROM content WHERE digest = ${bytes}
    ON CONFLICT (registry_id, repository, digest) WHERE seen_until IS NULL DO UPDATE SET epoch = excluded.epoch
      WHERE placement.epoch < excluded.epoch`;
  await tables.$executeRaw`
    WITH settled AS (
      UPDATE effect e SET state = 'settled', settled_at = now(), outcome = 'written', observed_digest = digest
      WHERE e.retention_run_id = ${runId}::uuid AND e.registry_id = ${registryId}::uuid AND e.repository = ${repository}
        AND e.kind IN ('manifest', 'tag') AND e.digest = ${bytes} AND e.state = 'intended'
      RETURNING ${settledOfRun}
    ), ${recordOfRun({ reason: 'somebody pushed it as it was deleted' })}
    INSERT INTO tag_event (registry_id, repository, tag, digest, effect_id)
    SELECT s.registry_id, s.repository, s.tag, s.digest, s.id FROM settled s WHERE s.kind = 'tag' ORDER BY s.tag`;
}
