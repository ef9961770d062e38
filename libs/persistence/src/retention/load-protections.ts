import type { Protections } from '@waybill/retention';
import type { Database, Tables } from '../database.js';
import type { HoldRow, Holds } from './holds.js';
import type { InUse } from './in-use.js';
import { RetentionRefusal } from './retention-refusal.js';

export type RunProtections = Omit<Protections, 'provenanceTargets'>;

/** Promotions under way that are looked at: with more nobody can say what they need, so nothing may be planned to go. */
const maxDigests = 200_000;

/** What must not go of a registry, read once for a run: holds, what is in use, and what promotions under way need. */
export async function loadProtections(
  database: Database,
  stores: { readonly holds: Holds; readonly inUse: InUse },
  registry: { readonly name: string } & Pick<Protections, 'isImmutableTag' | 'paths'>,
): Promise<RunProtections> {
  const { digests, silent } = await stores.inUse.knownOfRegistry(registry.name);
  return {
    holds: (await stores.holds.ofRegistry(registry.name)).map(toHold),
    inUse: {
      digests: new Map(digests.map(({ digest, reporter }) => [digest, reporter])),
      unknownScopes: silent.map(({ name, repositories }) => ({ reporter: name, repositories })),
    },
    runningPromotions: await runningPromotions(database.tables),
    isImmutableTag: registry.isImmutableTag,
    paths: registry.paths,
  };
}

function toHold({ id, reason, on }: HoldRow): Protections['holds'][number] {
  switch (on.scope) {
    case 'digest':
      return { id, reason, kind: 'digest', digest: on.digest };
    case 'tag':
      return { id, reason, kind: 'tag', repository: on.repository, tag: on.tag };
    case 'repository':
      return { id, reason, kind: 'repository', repository: on.repository };
  }
}

/** A digest is protected in every registry: a promotion reads it in one and writes it to others. */
async function runningPromotions(tables: Tables): Promise<Protections['runningPromotions']> {
  const rows = await tables.$queryRaw<{ id: string; digest: string }[]>`
    SELECT i.promotion_id AS id, digest_text(i.digest) AS digest FROM promotion_item i
    WHERE i.promotion_id IN (
      SELECT id FROM promotion WHERE finished_at IS NULL UNION SELECT promotion_id FROM item_target WHERE state <> 'done')
    ORDER BY i.promotion_id, i.position LIMIT ${maxDigests + 1}`;
  if (rows.length > maxDigests) {
    const facts = { code: 'too-much-protected', operation: 'read promotions' } as const;
    throw new RetentionRefusal(`promotions under way need more than ${maxDigests} digests: nobody can tell what may go`, facts);
  }
  const digestsOf = new Map<string, string[]>();
  for (const { id, digest } of rows) {
    const digests = digestsOf.get(id);
    if (digests === undefined) digestsOf.set(id, [digest]);
    else digests.push(digest);
  }
  return [...digestsOf].map(([id, digests]) => ({ id, digests }));
}
