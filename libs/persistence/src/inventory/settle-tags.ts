import type { TagChanges } from '@waybill/inventory';
import { digestToBytes, type Tag } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import type { LookedAt } from './repository-records.js';

/** Tags of one transaction: a repository's first crawl may bring a hundred thousand. */
const tagsAtOnce = 5_000;

/** The changes, so many at a time: each tag's is its own. */
export function* partsOf({ tagged, gone, missing, back }: TagChanges): Generator<TagChanges> {
  for (const some of chunksOf([...tagged].sort())) yield { ...nothing, tagged: new Map(some) };
  for (const some of chunksOf([...gone].sort())) yield { ...nothing, gone: some };
  for (const some of chunksOf([...missing].sort())) yield { ...nothing, missing: some };
  for (const some of chunksOf([...back].sort())) yield { ...nothing, back: some };
}

const nothing: TagChanges = { tagged: new Map(), gone: [], missing: [], back: [] };

/**
 * Writes what a look changed of tags, as events; a trigger makes the tags of them. What has changed since the look
 * began, as by an effect of ours, is newer than what was seen, and stays.
 */
export async function settleTags(
  tables: Tables,
  look: LookedAt & { readonly askedAt: string },
  { tagged, gone, missing, back }: TagChanges,
): Promise<void> {
  const { registryId, repository, repositoryId, askedAt } = look;
  await lockTags(tables, repositoryId, [...tagged.keys(), ...gone, ...missing, ...back]);
  if (tagged.size > 0) {
    const some = [...tagged];
    await tables.$executeRaw`
      INSERT INTO tag_event (registry_id, repository, tag, digest, previous_digest, source, observed_at)
      SELECT ${registryId}::uuid, ${repository}, s.name, s.digest, CASE WHEN t.gone_at IS NULL THEN t.digest END, 'crawl', ${askedAt}::timestamptz
      FROM unnest(${some.map(([name]) => name)}::text[], ${some.map(([, digest]) => digestToBytes(digest))}::bytea[]) AS s (name, digest)
        LEFT JOIN tag t ON t.repository_id = ${repositoryId} AND t.name = s.name
      WHERE t.name IS NULL OR (greatest(t.tagged_at, t.gone_at) <= ${askedAt}::timestamptz AND (t.gone_at IS NOT NULL OR t.digest <> s.digest))
      ORDER BY s.name`;
  }
  if (gone.length > 0) {
    await tables.$executeRaw`
      INSERT INTO tag_event (registry_id, repository, tag, digest, previous_digest, source, observed_at)
      SELECT ${registryId}::uuid, ${repository}, t.name, NULL, t.digest, 'crawl', ${askedAt}::timestamptz
      FROM tag t WHERE t.repository_id = ${repositoryId} AND t.name = ANY(${[...gone]}::text[]) AND t.gone_at IS NULL
        AND t.tagged_at <= ${askedAt}::timestamptz
      ORDER BY t.name`;
  }
  if (missing.length > 0) {
    await tables.$executeRaw`
      UPDATE tag SET missing_since = ${askedAt}::timestamptz
      WHERE repository_id = ${repositoryId} AND name = ANY(${[...missing]}::text[]) AND gone_at IS NULL AND missing_since IS NULL
        AND tagged_at <= ${askedAt}::timestamptz`;
  }
  if (back.length > 0) {
    await tables.$executeRaw`
      UPDATE tag SET missing_since = NULL WHERE repository_id = ${repositoryId} AND name = ANY(${[...back]}::text[]) AND missing_since IS NOT NULL`;
  }
}

/** All of them in the order of names, as by whoever writes several, before any is changed: none waits for another in a circle. */
async function lockTags(tables: Tables, repositoryId: bigint, names: readonly Tag[]): Promise<void> {
  await tables.$executeRaw`
    SELECT 1 FROM tag WHERE repository_id = ${repositoryId} AND name = ANY(${[...names]}::text[]) ORDER BY name FOR NO KEY UPDATE`;
}

function* chunksOf<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += tagsAtOnce) yield items.slice(start, start + tagsAtOnce);
}
