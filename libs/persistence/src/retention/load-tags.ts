import type { SnapshotTag } from '@waybill/retention';
import type { Tables } from '../database.js';
import { digestText, type Places } from './load-manifests.js';

/** Tags by repository, without what they named before. */
export async function loadTags(
  tables: Tables,
  { registryId, repositories }: Places,
): Promise<ReadonlyMap<string, readonly Omit<SnapshotTag, 'history'>[]>> {
  const texts = await tables.$queryRaw<{ repository: string; rows: string }[]>`
    SELECT r.name AS repository, '[' || string_agg(
      json_build_array(t.name, encode(t.digest, 'hex'), floor(date_part('epoch', t.tagged_at) * 1000)::bigint, t.tagged_at_source)::text, ',') || ']' AS rows
    FROM repository r JOIN tag t ON t.repository_id = r.id
    WHERE r.registry_id = ${registryId}::uuid AND r.name = ANY(${[...repositories]}::text[]) AND t.gone_at IS NULL GROUP BY r.name`;
  return new Map(texts.map(({ repository, rows }) => [repository, (JSON.parse(rows) as readonly TagRow[]).map(toTag)]));
}

type TagRow = readonly [name: string, hash: string, at: number, source: 'effect' | 'notification' | 'crawl'];

/** A crawl sees a tag later than it was written. */
function toTag([name, hash, at, source]: TagRow): Omit<SnapshotTag, 'history'> {
  return { name, digest: digestText(hash), taggedAt: source === 'crawl' ? 'unknown' : at, seenSince: at };
}
