import type { PromotedTo } from '@waybill/retention';
import type { Tables } from '../database.js';
import type { Places } from './load-manifests.js';

/** What promotions have to do with the digests of a repository. */
export interface Origins {
  /** Where they brought it from here, and when. */
  readonly promotedTo: Map<string, PromotedTo[]>;
  /** From where they brought it here. */
  readonly sources: Map<string, string[]>;
  /** What they tagged here last, tag by tag, as long as the tag names it. */
  readonly standing: Set<string>;
}

/** By repository; those that promotions have nothing to do with are left out. */
export async function loadOrigins(tables: Tables, { registryId, repositories }: Places): Promise<ReadonlyMap<string, Origins>> {
  const names = [...repositories];
  const promoted = await tables.$queryRaw<{ repository: string; digest: string; registry: string; at: Date }[]>`
    SELECT i.source_repository AS repository, digest_text(i.digest) AS digest, r.name AS registry, max(t.finished_at) AS at
    FROM promotion_item i JOIN item_target t ON t.item_id = i.id JOIN registry r ON r.id = t.registry_id
    WHERE i.source_registry_id = ${registryId}::uuid AND i.source_repository = ANY(${names}::text[])
      AND t.outcome IN ('copied', 'mounted', 'already-present')
    GROUP BY i.source_repository, i.digest, r.name ORDER BY i.digest, r.name`;
  const brought = await tables.$queryRaw<{ repository: string; digest: string; registry: string }[]>`
    SELECT DISTINCT t.repository, digest_text(i.digest) AS digest, s.name AS registry
    FROM item_target t JOIN promotion_item i ON i.id = t.item_id JOIN registry s ON s.id = i.source_registry_id
    WHERE t.registry_id = ${registryId}::uuid AND t.repository = ANY(${names}::text[]) AND t.outcome IN ('copied', 'mounted', 'already-present')
    ORDER BY 1, 2, 3`;
  const standing = await tables.$queryRaw<{ repository: string; digest: string }[]>`
    SELECT DISTINCT o.repository, digest_text(o.written_digest) AS digest
    FROM tag_order o JOIN repository r ON r.registry_id = o.registry_id AND r.name = o.repository
      JOIN tag t ON t.repository_id = r.id AND t.name = o.tag AND t.digest = o.written_digest AND t.gone_at IS NULL
    WHERE o.registry_id = ${registryId}::uuid AND o.repository = ANY(${names}::text[])`;
  const origins = new Map<string, Origins>();
  const of = (repository: string): Origins => {
    const known = origins.get(repository) ?? { promotedTo: new Map(), sources: new Map(), standing: new Set() };
    origins.set(repository, known);
    return known;
  };
  for (const { repository, digest, registry, at } of promoted) push(of(repository).promotedTo, digest, { registry, at: at.getTime() });
  for (const { repository, digest, registry } of brought) push(of(repository).sources, digest, registry);
  for (const { repository, digest } of standing) of(repository).standing.add(digest);
  return origins;
}

function push<T>(groups: Map<string, T[]>, key: string, value: T): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [value]);
  else group.push(value);
}
