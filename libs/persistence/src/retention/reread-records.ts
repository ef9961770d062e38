import type { LookEnd, RepositoryRecords } from '@waybill/inventory';
import type { RepositoryName } from '@waybill/oci-model';
import { PromotionError } from '@waybill/promotion';
import type { Database, Tables } from '../database.js';
import { RepositoryRecordsStore } from '../inventory/repository-records.js';
import { Turns } from '../run/turns.js';
import { executionStop } from './execution-stop.js';
import { held, type RetentionLease } from './run-leases.js';
import { holdsRequest, type TrashRequestLease } from './trash-request-leases.js';

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
  options: RereadOptions,
): Promise<RepositoryRecords | undefined> {
  return lookRecords(database, options, {
    lookId: lease.runId,
    hold: async (tables) => {
      const rows = await tables.$queryRaw<unknown[]>`SELECT 1 FROM retention_run WHERE ${held(lease)} FOR NO KEY UPDATE`;
      if (rows.length === 0) throw executionStop('lease-lost');
    },
  });
}

/**
 * The same for a purge, under its lease; what the inventory does not know it knows then. What it writes rejects with PromotionError
 * `lease-lost` when the lease is lost.
 */
export async function purgeLookRecords(
  database: Database,
  lease: TrashRequestLease,
  options: Omit<RereadOptions, 'registryId'>,
): Promise<RepositoryRecords> {
  const { registryId } = lease;
  await database.tables.$executeRaw`
    INSERT INTO repository (registry_id, name) VALUES (${registryId}::uuid, ${options.repository}) ON CONFLICT (registry_id, name) DO NOTHING`;
  const records = await lookRecords(
    database,
    { registryId, ...options },
    {
      lookId: lease.id,
      hold: async (tables) => {
        if (await holdsRequest(tables, lease)) return;
        throw new PromotionError('the lease of the request was lost', { code: 'lease-lost', operation: 'look before purge' });
      },
    },
  );
  if (records === undefined) throw new Error(`there is no repository ${options.repository}`);
  return records;
}

async function lookRecords(
  database: Database,
  { registryId, repository, onEnd }: RereadOptions,
  { lookId, hold }: { readonly lookId: string; readonly hold: (tables: Tables) => Promise<void> },
): Promise<RepositoryRecords | undefined> {
  const row = await database.tables.repository.findFirst({ where: { registryId, name: repository }, select: { id: true } });
  if (row === null) return undefined;
  return new RepositoryRecordsStore(database, {
    kind: 'full',
    ...{ registryId, repositoryId: row.id, repository, hold },
    lease: { crawlId: lookId },
    turns: new Turns(),
    ended: (_tables, end) => {
      onEnd(end);
      return Promise.resolve();
    },
  });
}
