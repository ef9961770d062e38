import type { Database, Tables } from '../database.js';
import { executionStop } from './execution-stop.js';
import { held, type RetentionLease } from './run-leases.js';

/** A run whose row is locked: whoever claims it next waits for the transaction, and finds what it did. */
export interface LeasedRun {
  readonly id: string;
  readonly registryId: string;
}

/**
 * Runs `work` in one transaction while the lease holds.
 * @throws ExecutionStop `lease-lost`: nothing was written
 */
export function underRunLease<Done>(
  database: Database,
  lease: RetentionLease,
  work: (tables: Tables, run: LeasedRun) => Promise<Done>,
): Promise<Done> {
  return database.transaction(async (tables) => {
    const [run] = await tables.$queryRaw<LeasedRun[]>`
      SELECT id, registry_id AS "registryId" FROM retention_run WHERE ${held(lease)} FOR NO KEY UPDATE`;
    if (run === undefined) throw executionStop('lease-lost');
    return work(tables, run);
  });
}
