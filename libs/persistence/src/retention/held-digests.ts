import { type Digest, digestToBytes } from '@waybill/oci-model';
import type { Tables } from '../database.js';

/** Manifests, and the repositories of a registry in which they are asked about. */
export interface HeldPlaces {
  readonly registryId: string;
  readonly repositories: readonly string[];
  readonly digests: readonly Digest[];
}

/** The id of a hold that keeps one of the manifests now: by its digest, by a tag that names it, or with all of a repository. */
export async function holdOf(tables: Tables, { registryId, repositories, digests }: HeldPlaces): Promise<string | undefined> {
  const bytes = digests.map(digestToBytes);
  const [hold] = await tables.$queryRaw<{ id: string }[]>`
    SELECT h.id FROM hold h JOIN registry r ON r.id = ${registryId}::uuid
    WHERE h.registry IN ('', r.name) AND h.released_at IS NULL AND (h.expires_at IS NULL OR h.expires_at > now())
      AND (h.repository = '' OR h.repository = ANY(${[...repositories]}::text[]))
      AND CASE h.scope WHEN 'digest' THEN h.digest = ANY(${bytes}::bytea[]) WHEN 'repository' THEN true ELSE EXISTS (
        SELECT 1 FROM tag t JOIN repository y ON y.id = t.repository_id
        WHERE y.registry_id = r.id AND y.name = h.repository AND t.name = h.tag AND t.gone_at IS NULL AND t.digest = ANY(${bytes}::bytea[])) END
    ORDER BY h.id LIMIT 1`;
  return hold?.id;
}
