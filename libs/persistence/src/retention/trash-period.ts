import type { Tables } from '../database.js';
import type { DeletionPlace } from './deletion-effects.js';

/** What was deleted can be brought back for the whole period that its row was begun with, however long copies took until it was deleted. */
export async function beginTrashPeriod(
  tables: Tables,
  { runId, registryId, repository }: DeletionPlace,
  digest: Uint8Array,
): Promise<void> {
  await tables.$executeRaw`
    UPDATE retention_trash SET expires_at = now() + (expires_at - deleted_at), deleted_at = now()
    WHERE registry_id = ${registryId}::uuid AND repository = ${repository} AND digest = ${digest}::bytea AND run_id = ${runId}::uuid
      AND restored_at IS NULL AND emptied_at IS NULL`;
}
