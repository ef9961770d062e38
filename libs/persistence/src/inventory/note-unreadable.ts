import type { Problem } from '@waybill/inventory';
import { type Digest, digestToBytes } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import { storableJson } from '../registry-checks/storable-json.js';

/** Notes that the bytes of a manifest are not to be had in the repository, and why. */
export async function noteUnreadable(
  tables: Tables,
  { repositoryId, digest, problem }: { readonly repositoryId: bigint; readonly digest: Digest; readonly problem: Problem },
): Promise<void> {
  await tables.$executeRaw`
    INSERT INTO unreadable_manifest (repository_id, digest, problem)
    VALUES (${repositoryId}, ${digestToBytes(digest)}, ${storableJson(problem)}::jsonb)
    ON CONFLICT (repository_id, digest) DO UPDATE SET problem = excluded.problem, tried_at = now()`;
}
