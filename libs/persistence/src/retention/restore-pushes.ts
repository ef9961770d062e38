import { type Digest, digestFromBytes, digestToBytes, type Tag } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import type { DeletionPlace } from './deletion-effects.js';
import { intendWrites, type RunWrite, settleWrites } from './run-writes.js';

/** A push that was lost with what the run has deleted: a tag that names nothing any more, and what it is to name again. */
export interface LostPush {
  readonly tag: Tag;
  readonly digest: Digest;
  /** `pushed`: it was told to be written on the digest, which was deleted. `there`: it named the digest when it was seen last. */
  readonly was: 'pushed' | 'there';
}

/** The deletions of a run in one repository that were carried out. The two outcomes that are left out twice are those of a partial index. */
function deletionsOf(runId: string, repository: string): Prisma.Sql {
  return Prisma.sql`
    SELECT e.registry_id, e.digest, e.intended_at FROM effect e JOIN retention_run u ON u.id = e.retention_run_id AND u.registry_id = e.registry_id
    WHERE e.retention_run_id = ${runId}::uuid AND e.repository = ${repository} AND e.kind = 'deletion' AND e.tag = '' AND e.outcome = 'deleted'
      AND e.outcome IS DISTINCT FROM 'not-written' AND e.outcome IS DISTINCT FROM 'not-deleted'`;
}

/**
 * What others were seen to push since the deletion of it was intended, or what the registry told of since the repository was read again:
 * what waits to be asked about, and what named nothing when it was asked about. Each tag as it was pushed last, and none that somebody
 * has moved on or removed since.
 */
export async function pushesSince(tables: Tables, runId: string, repository: string): Promise<LostPush[]> {
  const rows = await tables.$queryRaw<{ tag: Tag; digest: Uint8Array }[]>`
    WITH gone AS MATERIALIZED (${deletionsOf(runId, repository)}),
      lost AS MATERIALIZED (
        SELECT g.*, m.told_tags, y.deleting_at
        FROM gone g JOIN retention_run_repository y ON y.run_id = ${runId}::uuid AND y.repository = ${repository}
          JOIN retention_mark m ON m.registry_id = g.registry_id AND m.repository = ${repository} AND m.digest = g.digest AND m.run_id = ${runId}::uuid
        WHERE m.state = 'deleted'
      ),
      pushed AS (
        SELECT v.tag, v.digest, v.observed_at AS at
        FROM lost l JOIN tag_event v ON v.digest = l.digest AND v.registry_id = l.registry_id AND v.repository = ${repository} AND v.observed_at >= l.intended_at
        WHERE NOT EXISTS (
          SELECT FROM tag_event n
          WHERE n.registry_id = v.registry_id AND n.repository = v.repository AND n.tag = v.tag AND n.id > v.id
            AND (n.digest <> v.digest OR (n.digest IS NULL AND n.source = 'notification')))
        UNION ALL
        SELECT h.reference, h.digest, h.pushed_at
        FROM lost l JOIN notification_hint h ON h.registry_id = l.registry_id AND h.repository = ${repository} AND h.digest = l.digest
        WHERE h.pushed_at >= l.deleting_at AND (h.deleted_at IS NULL OR h.deleted_at < h.pushed_at)
        UNION ALL
        SELECT t.tag, l.digest, l.intended_at FROM lost l CROSS JOIN LATERAL unnest(l.told_tags) AS t (tag)
      )
    SELECT DISTINCT ON (tag) tag, digest FROM pushed ORDER BY tag, at DESC`;
  return rows.map(({ tag, digest }) => ({ tag, digest: digestFromBytes(digest), was: 'pushed' }));
}

/**
 * Tags that a look at the repository has missed since the first deletion was intended, that did not go with what they named, and of which
 * the registry did not tell that somebody removed them.
 */
export async function tagsMissedSince(tables: Tables, runId: string, repository: string): Promise<LostPush[]> {
  const rows = await tables.$queryRaw<{ tag: Tag; digest: Uint8Array }[]>`
    WITH gone AS MATERIALIZED (${deletionsOf(runId, repository)}),
      since AS (SELECT registry_id, min(intended_at) AS at FROM gone GROUP BY registry_id)
    SELECT t.name AS tag, t.digest
    FROM since s JOIN repository y ON y.registry_id = s.registry_id AND y.name = ${repository}
      JOIN tag t ON t.repository_id = y.id AND t.gone_at >= s.at
      CROSS JOIN LATERAL (
        SELECT v.effect_id, v.source FROM tag_event v
        WHERE v.registry_id = s.registry_id AND v.repository = ${repository} AND v.tag = t.name ORDER BY v.id DESC LIMIT 1
      ) last
    WHERE last.effect_id IS NULL AND last.source = 'crawl' AND t.digest NOT IN (SELECT digest FROM gone)
      AND NOT EXISTS (
        SELECT FROM retention_decision d
        WHERE d.digest = t.digest AND d.run_id = ${runId}::uuid AND d.repository = ${repository} AND d.tag = t.name AND d.verdict <> 'keep')
    ORDER BY t.name`;
  return rows.map(({ tag, digest }) => ({ tag, digest: digestFromBytes(digest), was: 'there' }));
}

/** Write-ahead: what was deleted is about to be pushed again with these tags, or what is there to be tagged. */
export async function intendRestore(tables: Tables, place: DeletionPlace, restore: RunWrite): Promise<void> {
  await intendWrites(tables, place, { ...restore, isThere: !(await wasDeleted(tables, place, restore.digest)) });
}

/** It was pushed again and read back: effects with their records, its mark, and what the inventory says. */
export async function settleRestore(tables: Tables, place: DeletionPlace, restore: RunWrite): Promise<void> {
  const isThere = !(await wasDeleted(tables, place, restore.digest));
  await tables.$executeRaw`
    UPDATE retention_mark SET state = 'restored',
      error = jsonb_build_object('code', 'pushed-meanwhile', 'message', 'somebody pushed it as it was deleted: it was pushed again')
    WHERE run_id = ${place.runId}::uuid AND repository = ${place.repository} AND digest = ${digestToBytes(restore.digest)} AND state = 'deleted'`;
  const reason = isThere ? 'its tag was lost with something that was deleted' : 'somebody pushed it as it was deleted';
  await settleWrites(tables, place, { ...restore, isThere, reason });
}

async function wasDeleted(tables: Tables, { runId, repository }: DeletionPlace, digest: Digest): Promise<boolean> {
  const rows = await tables.$queryRaw<unknown[]>`
    SELECT 1 FROM retention_mark
    WHERE run_id = ${runId}::uuid AND repository = ${repository} AND digest = ${digestToBytes(digest)} AND state IN ('deleted', 'restored')`;
  return rows.length > 0;
}
