import type { PromotedTo } from '@waybill/retention';
import type { Tables } from '../database.js';
import type { Place } from './load-manifests.js';

/** What promotions have to do with the digests of a repository. */
export interface Origins {
  /** Where they brought it from here, and when. */
  readonly promotedTo: ReadonlyMap<string, readonly PromotedTo[]>;
  /** From where they brought it here. */
  readonly sources: ReadonlyMap<string, readonly string[]>;
  /** What they tagged here last, tag by tag, as long as the tag names it. */
  readonly standing: ReadonlySet<string>;
}

export async function loadOrigins(tables: Tables, { registryId, repository, repositoryId }: Place): Promise<Origins> {
  const promoted = await tables.$queryRaw<{ digest: string; registry: string; at: Date }[]>`
    SELECT digest_text(i.digest) AS digest, r.name AS registry, max(t.finished_at) AS at
    FROM promotion_item i JOIN item_target t ON t.item_id = i.id JOIN registry r ON r.id = t.registry_id
    WHERE i.source_registry_id = ${registryId}::uuid AND i.source_repository = ${repository} AND t.outcome IN ('copied', 'mounted', 'already-present')
    GROUP BY i.digest, r.name ORDER BY i.digest, r.name`;
  const brought = await tables.$queryRaw<{ digest: string; registry: string }[]>`
    SELECT DISTINCT digest_text(i.digest) AS digest, s.name AS registry
    FROM item_target t JOIN promotion_item i ON i.id = t.item_id JOIN registry s ON s.id = i.source_registry_id
    WHERE t.registry_id = ${registryId}::uuid AND t.repository = ${repository} AND t.outcome IN ('copied', 'mounted', 'already-present')
    ORDER BY 1, 2`;
  const standing = await tables.$queryRaw<{ digest: string }[]>`
    SELECT DISTINCT digest_text(o.written_digest) AS digest
    FROM tag_order o JOIN tag t ON t.repository_id = ${repositoryId} AND t.name = o.tag AND t.digest = o.written_digest AND t.gone_at IS NULL
    WHERE o.registry_id = ${registryId}::uuid AND o.repository = ${repository}`;
  return {
    promotedTo: grouped(promoted.map(({ digest, registry, at }) => [digest, { registry, at: at.getTime() }])),
    sources: grouped(brought.map(({ digest, registry }) => [digest, registry])),
    standing: new Set(standing.map(({ digest }) => digest)),
  };
}

function grouped<T>(entries: readonly (readonly [string, T])[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const [key, value] of entries) {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}
