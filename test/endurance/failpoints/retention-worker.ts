// The worker of `worker.ts`, with failpoints also at what it makes anew for each run of retention.
import 'reflect-metadata';
import {
  ExecutionJournal,
  ExecutionRecordsStore,
  PlanJournal,
  PurgeRecords,
  RetentionLeases,
  RetentionTicks,
  RetentionTrash,
  TrashRequestLeases,
} from '@waybill/persistence';
import { RereadRepository } from '../../../apps/worker/src/features/run-retention/reread-repository.js';
import { TrashClients } from '../../../apps/worker/src/infrastructure/trash/trash-clients.js';
import { guardClass, guardedClient } from './guard.js';
import { failpoints } from './process-failpoints.js';

guardClass('ticks', RetentionTicks, failpoints);
guardClass('leases', RetentionLeases, failpoints);
guardClass('plan', PlanJournal, failpoints);
guardClass('execution', ExecutionJournal, failpoints);
guardClass('deletions', ExecutionRecordsStore, failpoints);
guardClass('fresh', RereadRepository, failpoints);
guardClass('trash', RetentionTrash, failpoints);
guardClass('requests', TrashRequestLeases, failpoints);
guardClass('purge', PurgeRecords, failpoints);

guardTrash(TrashClients.prototype);

/** Whatever is opened to delete from, and to bring to the trash and back. */
function guardTrash(prototype: TrashClients): void {
  const open = Reflect.get(prototype, 'open');
  prototype.open = async function (this: TrashClients, registryId) {
    const opened = await open.call(this, registryId);
    return { ...opened, client: guardedClient(opened.client, failpoints), unlisting: guardedClient(opened.unlisting, failpoints) };
  };
}

await import('./worker.js');
