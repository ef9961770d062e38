import type { Tag } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import type { DeletionPlace } from './deletion-effects.js';

/** The inventory knows that the manifest is gone from the repository. */
export async function closePlace(tables: Tables, { registryId, repository }: DeletionPlace, digest: Uint8Array): Promise<void> {
  await tables.$executeRaw`
    UPDATE placement SET seen_until = now()
    WHERE registry_id = ${registryId}::uuid AND repository = ${repository} AND digest = ${digest}::bytea AND seen_until IS NULL`;
}

/** Tags that went with a deletion, as events; a trigger makes the tags of them. Those that named something else since stay as they are. */
export async function noteTagsGone(
  tables: Tables,
  { registryId, repository }: DeletionPlace,
  gone: { readonly effectId: string; readonly digest: Uint8Array; readonly tags: readonly Tag[] },
): Promise<void> {
  const names = [...gone.tags].sort();
  if (names.length === 0) return;
  // In the order of names, as by whoever writes several: none waits for another in a circle.
  await tables.$executeRaw`
    SELECT 1 FROM tag t JOIN repository y ON y.id = t.repository_id
    WHERE y.registry_id = ${registryId}::uuid AND y.name = ${repository} AND t.name = ANY(${names}::text[])
    ORDER BY t.name FOR NO KEY UPDATE OF t`;
  await tables.$executeRaw`
    INSERT INTO tag_event (registry_id, repository, tag, digest, previous_digest, effect_id)
    SELECT ${registryId}::uuid, ${repository}, t.name, NULL, t.digest, ${gone.effectId}::uuid
    FROM tag t JOIN repository y ON y.id = t.repository_id
    WHERE y.registry_id = ${registryId}::uuid AND y.name = ${repository} AND t.name = ANY(${names}::text[])
      AND t.digest = ${gone.digest}::bytea AND t.gone_at IS NULL
    ORDER BY t.name`;
}
