import { digestToBytes, type Digest, type RepositoryName, type Tag } from '@waybill/oci-model';
import type { Tables } from '../database.js';

/** The inventory knows at once that tags went with what a purge has deleted: all that were seen to name it. A trigger makes the tags of it. */
export async function noteTagsPurged(
  tables: Tables,
  { registryId, repository }: { readonly registryId: string; readonly repository: RepositoryName },
  digest: Digest,
): Promise<void> {
  // In the order of names, as by whoever writes several: none waits for another in a circle.
  await tables.$executeRaw`
    INSERT INTO tag_event (registry_id, repository, tag, digest, previous_digest)
    SELECT ${registryId}::uuid, ${repository}, t.name, NULL, t.digest
    FROM (
      SELECT t.name, t.digest FROM tag t JOIN repository y ON y.id = t.repository_id
      WHERE y.registry_id = ${registryId}::uuid AND y.name = ${repository} AND t.digest = ${digestToBytes(digest)} AND t.gone_at IS NULL
      ORDER BY t.name FOR NO KEY UPDATE OF t
    ) t ORDER BY t.name`;
}

/** The inventory knows at once what a restore has brought back: the manifests that a row of the trash holds, and the tags that name it again. */
export async function noteBack(
  tables: Tables,
  { requestId, trashId, tags }: { readonly requestId: string; readonly trashId: string; readonly tags: readonly Tag[] },
): Promise<void> {
  await tables.$executeRaw`
    INSERT INTO placement (registry_id, repository, digest, seen_by)
    SELECT t.registry_id, t.repository, c.digest, ${requestId}::uuid
    FROM retention_trash t JOIN retention_trash_link l ON l.trash_id = t.id AND l.kind = 'holds' JOIN content c ON c.digest = l.digest
    WHERE t.id = ${trashId}::uuid ORDER BY c.digest
    ON CONFLICT (registry_id, repository, digest) WHERE seen_until IS NULL DO UPDATE SET epoch = excluded.epoch
      WHERE placement.epoch < excluded.epoch`;
  await tables.$executeRaw`
    INSERT INTO tag_event (registry_id, repository, tag, digest)
    SELECT t.registry_id, t.repository, n.name, t.digest
    FROM retention_trash t JOIN content c ON c.digest = t.digest CROSS JOIN unnest(${[...tags].sort()}::text[]) AS n (name)
    WHERE t.id = ${trashId}::uuid AND t.trash_repository IS NOT NULL ORDER BY n.name`;
}
