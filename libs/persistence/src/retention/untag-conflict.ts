import type { Tag } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import type { DeletionPlace } from './deletion-effects.js';

/** A promotion under way that is to write the tag; under the registry's lock. */
export async function untagWaitsFor(tables: Tables, { registryId, repository }: DeletionPlace, tag: Tag): Promise<string | undefined> {
  const [row] = await tables.$queryRaw<{ promotion: string }[]>`
    SELECT t.promotion_id AS promotion FROM item_target t JOIN item_target_tag g ON g.item_target_id = t.id
    WHERE t.state <> 'done' AND t.registry_id = ${registryId}::uuid AND t.repository = ${repository} AND g.tag = ${tag} LIMIT 1`;
  return row?.promotion;
}
