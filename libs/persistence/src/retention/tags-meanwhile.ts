import { type Digest, digestToBytes, type Tag } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import type { DeletionPlace } from './deletion-effects.js';

/** A tag that names the digest, as far as the inventory has been told, and that the run's plan did not condemn with it. */
export async function tagMeanwhile(tables: Tables, place: DeletionPlace, digest: Digest): Promise<Tag | undefined> {
  const { runId, registryId, repository } = place;
  const bytes = digestToBytes(digest);
  const [row] = await tables.$queryRaw<{ name: Tag }[]>`
    SELECT t.name FROM tag t JOIN repository r ON r.id = t.repository_id
    WHERE t.digest = ${bytes} AND t.gone_at IS NULL AND r.registry_id = ${registryId}::uuid AND r.name = ${repository}
      AND NOT EXISTS (
        SELECT FROM retention_decision d
        WHERE d.digest = ${bytes} AND d.run_id = ${runId}::uuid AND d.repository = ${repository} AND d.tag = t.name AND d.verdict IN ('delete', 'archive'))
    LIMIT 1`;
  return row?.name;
}
