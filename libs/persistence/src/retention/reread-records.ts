import type { LookEnd, RepositoryRecords } from '@waybill/inventory';
import type { RepositoryName } from '@waybill/oci-model';
import type { Database } from '../database.js';
import { RepositoryRecordsStore } from '../inventory/repository-records.js';
import { Turns } from '../run/turns.js';
import { executionStop } from './execution-stop.js';
import { held, type RetentionLease } from './run-leases.js';

export interface RereadOptions {
  readonly registryId: string;
  readonly repository: RepositoryName;
  /** Told how the look ended, once it is written down. */
  readonly onEnd: (end: LookEnd) => void;
}

/**
 * Where a run writes what it sees of a repository right before it deletes: the inventory, as a full crawl does, under the run's lease.
 * Undefined when the inventory has no such repository. What it writes rejects with ExecutionStop `lease-lost` when the lease is lost.
 */
export async function rereadRecords(
  database: Database,
  lease: RetentionLease,
  { registryId, repository, onEnd }: RereadOptions,
): Promise<RepositoryRecords | undefined> {
  const row = await database.tables.repository.findFirst({ where: { registryId, name: repository }, select: { id: true } });
  if (row === null) return undefined;
  return new RepositoryRecordsStore(database, {
    kind: 'full',
    registryId,
    repositoryId: row.id,
    repository,
    lease: { crawlId: lease.runId },
    turns: new Turns(),
    hold: async (tables) => {
      const rows = await tables.$queryRaw<unknown[]>`SELECT 1 FROM retention_run WHERE ${held(lease)} FOR NO KEY UPDATE`;
      if (rows.length === 0) throw executionStop('lease-lost');
    },
    ended: (_tables, end) => {
      onEnd(end);
      return Promise.resolve();
    },
  });
}
