import { type Digest, digestToBytes, type Manifest } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import { storableJson } from '../registry-checks/storable-json.js';
import type { DeletionPlace } from './deletion-effects.js';
import { neededByPromotions } from './deletion-lock.js';

/** A manifest to mark; without its bytes the inventory has read it. */
export interface NewMark {
  readonly digest: Digest;
  readonly manifest?: Pick<Manifest, 'bytes' | 'mediaType'>;
}

/**
 * `deleting`: its deletion is intended, and nobody knows whether it was sent. `restored`: a push of it was lost in the moment between
 * the last look and the deletion, and was made again.
 */
export type MarkState = 'marked' | 'deleting' | 'deleted' | 'spared' | 'failed' | 'restored';

export interface MarkedManifest {
  readonly digest: Digest;
  readonly state: MarkState;
}

/** Writes marks, each due when the run's grace is over; under the registry's lock. What has one of this run keeps it. */
export async function insertMarks(tables: Tables, place: DeletionPlace, marks: readonly NewMark[]): Promise<void> {
  const { runId, registryId, repository } = place;
  const needed = await neededByPromotions(
    tables,
    registryId,
    marks.map(({ digest }) => digest),
  );
  const wanted = marks.map(({ digest, manifest }) => ({
    hash: Buffer.from(digestToBytes(digest)).toString('hex'),
    mediaType: manifest?.mediaType,
    bytes: manifest === undefined ? undefined : Buffer.from(manifest.bytes).toString('base64'),
    promotion: needed.get(digest),
  }));
  await tables.$executeRaw`
    WITH wanted AS (
      SELECT decode(w.hash, 'hex') AS digest, w."mediaType" AS media_type, decode(w.bytes, 'base64') AS bytes, w.promotion
      FROM jsonb_to_recordset(${storableJson(wanted)}::jsonb) AS w (hash text, "mediaType" text, bytes text, promotion text)
    ), judged AS (
      SELECT w.digest, d.position, coalesce(w.media_type, m.media_type, '') AS media_type, coalesce(w.bytes, m.raw, '') AS bytes,
        CASE WHEN w.promotion IS NOT NULL THEN
               jsonb_build_object('code', 'promotion-running', 'message', format('promotion %s needs it', w.promotion), 'promotion', w.promotion)
             WHEN EXISTS (SELECT FROM retention_mark o WHERE o.registry_id = ${registryId}::uuid AND o.repository = ${repository}
                            AND o.digest = w.digest AND o.settled_at IS NULL AND o.run_id <> ${runId}::uuid) THEN
               jsonb_build_object('code', 'marked-elsewhere', 'message', 'a run of another policy has marked it')
             WHEN EXISTS (SELECT FROM retention_trash_link l JOIN retention_trash t ON t.id = l.trash_id
                            WHERE l.digest = w.digest AND l.kind = 'holds' AND t.wanted_by IS NOT NULL
                              AND t.registry_id = ${registryId}::uuid AND t.repository = ${repository}) THEN
               jsonb_build_object('code', 'being-restored', 'message', 'a restore under way needs it')
             WHEN w.bytes IS NULL AND m.raw IS NULL THEN
               jsonb_build_object('code', 'unread', 'message', 'nobody has its bytes: it could not be brought back') END AS why
      FROM wanted w
        JOIN retention_decision d ON d.digest = w.digest AND d.run_id = ${runId}::uuid AND d.repository = ${repository} AND d.tag = ''
          AND d.verdict IN ('delete', 'archive')
        LEFT JOIN manifest m ON m.digest = w.digest
    )
    INSERT INTO retention_mark (registry_id, repository, digest, run_id, position, media_type, manifest, due_at, state, error, settled_at)
    SELECT ${registryId}::uuid, ${repository}, j.digest, u.id, j.position, j.media_type, j.bytes,
      now() + (u.snapshot ->> 'graceMs')::float8 * interval '1 millisecond',
      CASE WHEN j.why IS NULL THEN 'marked' ELSE 'spared' END, j.why, CASE WHEN j.why IS NOT NULL THEN now() END
    FROM judged j JOIN retention_run u ON u.id = ${runId}::uuid
    ORDER BY j.digest
    ON CONFLICT (registry_id, repository, digest, run_id) DO NOTHING`;
}
