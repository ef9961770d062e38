import type { IdSource } from '@waybill/kernel';
import { type Digest, digestToBytes, type Tag } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import { type DeletionPlace, recordOfRun, settledOfRun } from './deletion-effects.js';

/** A manifest that a run brings somewhere, and the tags that are to name it there. */
export interface RunWrite {
  readonly digest: Digest;
  readonly tags: readonly Tag[];
  readonly ids: IdSource;
  /** Only its tags are written. */
  readonly isThere?: boolean;
}

/** Effects of the manifest, unless it is there, and of each tag, as intended; those that stand open already, or were settled as written, stay. */
export async function intendWrites(tables: Tables, place: DeletionPlace, { digest, tags, ids, isThere = false }: RunWrite): Promise<void> {
  const { runId, registryId, repository } = place;
  const names = isThere ? tags : ['', ...tags];
  const kinds = names.map((name) => (name === '' ? 'manifest' : 'tag'));
  await tables.$executeRaw`
    INSERT INTO effect (id, retention_run_id, kind, registry_id, repository, digest, tag, state)
    SELECT w.id, ${runId}::uuid, w.kind, ${registryId}::uuid, ${repository}, ${digestToBytes(digest)}, w.tag, 'intended'
    FROM unnest(${kinds.map(() => ids.next())}::uuid[], ${kinds}::text[], ${[...names]}::text[]) AS w (id, kind, tag)
    ON CONFLICT (retention_run_id, registry_id, repository, kind, digest, tag)
      WHERE retention_run_id IS NOT NULL AND outcome IS DISTINCT FROM 'not-written' AND outcome IS DISTINCT FROM 'not-deleted' DO NOTHING`;
}

/** What was brought was read back: effects with their records, and what the inventory says. */
export async function settleWrites(
  tables: Tables,
  place: DeletionPlace,
  { reason, ...write }: RunWrite & { readonly reason: string },
): Promise<void> {
  const { runId, registryId, repository } = place;
  const bytes = digestToBytes(write.digest);
  await intendWrites(tables, place, write);
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
    ), ${recordOfRun({ reason })}
    INSERT INTO tag_event (registry_id, repository, tag, digest, effect_id)
    SELECT s.registry_id, s.repository, s.tag, s.digest, s.id FROM settled s WHERE s.kind = 'tag' ORDER BY s.tag`;
}
