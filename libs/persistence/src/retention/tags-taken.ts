import { type Digest, digestToBytes, type Tag } from '@waybill/oci-model';
import type { Tables } from '../database.js';

/** A tag that names nothing any more, and what it was seen to name last. */
export interface MissedTag {
  readonly tag: Tag;
  readonly digest: Digest;
}

/** `known`: the records say who took a tag away. `possible`: a purge of something else in the repository may have. */
export type TakenAway = 'known' | 'possible';

/**
 * Whether somebody took a tag away since the run began to read its repository again: by a deletion or a purge of it or of what it named,
 * also one that is under way. Events of crawls say nothing, since they cannot tell who it was; what the registry told and nobody has asked
 * about yet counts.
 */
export async function tagTaken(
  tables: Tables,
  { runId, repository }: { readonly runId: string; readonly repository: string },
  { tag, digest }: MissedTag,
): Promise<TakenAway | undefined> {
  const bytes = digestToBytes(digest);
  const [found] = await tables.$queryRaw<{ taken: boolean; purged: boolean | null }[]>`
    SELECT EXISTS (
      SELECT FROM effect e WHERE e.digest = ${bytes} AND e.registry_id = y.registry_id AND e.repository = y.repository AND e.kind = 'deletion'
        AND e.tag IN ('', ${tag}) AND e.outcome IS DISTINCT FROM 'not-deleted' AND (e.settled_at IS NULL OR e.settled_at >= y.at)
    ) OR EXISTS (
      SELECT FROM tag_event v WHERE v.registry_id = y.registry_id AND v.repository = y.repository AND v.tag = ${tag}
        AND v.digest IS NULL AND v.source <> 'crawl' AND v.observed_at >= y.at
        AND NOT EXISTS (
          SELECT FROM tag_event n WHERE n.registry_id = v.registry_id AND n.repository = v.repository AND n.tag = v.tag AND n.id > v.id
            AND n.digest IS NOT NULL)
    ) OR EXISTS (
      SELECT FROM notification_hint h WHERE h.registry_id = y.registry_id AND h.repository = y.repository
        AND h.reference IN (${tag}, ${digest}) AND h.deleted_at >= y.at AND (h.pushed_at IS NULL OR h.pushed_at <= h.deleted_at)
    ) AS taken, (
      SELECT bool_or(i.digest = ${bytes}) FROM retention_request q JOIN retention_request_item i ON i.request_id = q.id
      WHERE q.kind = 'purge' AND q.registry_id = y.registry_id AND (q.finished_at IS NULL OR q.finished_at >= y.at)
        AND i.repository = y.repository AND i.state <> 'pending' AND (i.settled_at IS NULL OR i.settled_at >= y.at)
    ) AS purged
    FROM (
      SELECT u.registry_id, r.repository, r.deleting_at AS at FROM retention_run_repository r JOIN retention_run u ON u.id = r.run_id
      WHERE r.run_id = ${runId}::uuid AND r.repository = ${repository}
    ) y`;
  if (found === undefined) return undefined;
  if (found.taken || found.purged === true) return 'known';
  return found.purged === false ? 'possible' : undefined;
}
