import type { WaybillError } from '@waybill/kernel';
import { type RestorableRow, type StoredError, storedError, type TrashRequestLease, type TrashRequestLeases } from '@waybill/persistence';
import type { TrashClients } from '../../infrastructure/trash/trash-clients.js';
import { restoreRepository } from './restore-repository.js';
import { type CarryOut, isFinal, requireOurs } from './request-attempt.js';

export interface CarryOutRestoreOptions {
  readonly leases: Pick<TrashRequestLeases, 'nextRepository' | 'restorables' | 'manifestOf' | 'settleRestored' | 'note'>;
  readonly clients: Pick<TrashClients, 'open'>;
}

/** Brings back what a restore names, one repository after another. */
export class CarryOutRestore implements CarryOut {
  readonly #options: CarryOutRestoreOptions;

  constructor(options: CarryOutRestoreOptions) {
    this.#options = options;
  }

  async carryOut(lease: TrashRequestLease, signal: AbortSignal): Promise<StoredError | undefined> {
    const { leases, clients } = this.#options;
    const opened = await clients.open(lease.registryId);
    let again: StoredError | undefined;
    const onTrouble = async ({ trashId }: RestorableRow, error: WaybillError): Promise<void> => {
      const said = storedError(error);
      if (!isFinal(error, lease)) again = said;
      requireOurs(await leases.note(lease, trashId, said, isFinal(error, lease)));
    };
    let after = '';
    for (;;) {
      signal.throwIfAborted();
      const repository = await leases.nextRepository(lease, after);
      if (repository === undefined) return again;
      await restoreRepository({
        ...{ opened, repository, onTrouble, signal },
        entries: await leases.restorables(lease, repository),
        manifestOf: (trashId) => leases.manifestOf(trashId),
        onBack: async ({ trashId }, tags) => requireOurs(await leases.settleRestored(lease, trashId, tags)),
      });
      after = repository;
    }
  }
}
