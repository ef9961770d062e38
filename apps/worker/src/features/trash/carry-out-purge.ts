import type { RepositoryName } from '@waybill/oci-model';
import { type PurgeRecords, type StoredError, storedError, type TrashRequestLease, type TrashRequestLeases } from '@waybill/persistence';
import type { TrashClients } from '../../infrastructure/trash/trash-clients.js';
import { lookBeforePurge, type LookRecordsOf } from './look-before-purge.js';
import { purgeRepository } from './purge-repository.js';
import { type CarryOut, isFinal, isSaid, requireOurs } from './request-attempt.js';

export interface CarryOutPurgeOptions {
  readonly leases: Pick<TrashRequestLeases, 'nextRepository'>;
  readonly recordsOf: (
    lease: TrashRequestLease,
    repository: RepositoryName,
  ) => Pick<PurgeRecords, 'open' | 'intend' | 'awaiting' | 'emptyTrash' | 'settle' | 'note'>;
  readonly lookRecordsOf: LookRecordsOf;
  readonly clients: Pick<TrashClients, 'open'>;
}

/** Deletes what a purge names, one repository after another: what cannot be done in one keeps no other. */
export class CarryOutPurge implements CarryOut {
  readonly #options: CarryOutPurgeOptions;

  constructor(options: CarryOutPurgeOptions) {
    this.#options = options;
  }

  async carryOut(lease: TrashRequestLease, signal: AbortSignal): Promise<StoredError | undefined> {
    const { leases, recordsOf, lookRecordsOf, clients } = this.#options;
    const { digest } = lease.asked;
    if (digest === undefined) throw new TypeError('a purge names a digest');
    const opened = await clients.open(lease.registryId);
    let again: StoredError | undefined;
    let after = '';
    for (;;) {
      signal.throwIfAborted();
      const repository = await leases.nextRepository(lease, after);
      if (repository === undefined) return again;
      const records = recordsOf(lease, repository);
      try {
        const look = (until: AbortSignal) => lookBeforePurge({ lease, repository, opened, lookRecordsOf }, until);
        await purgeRepository({ opened, repository, digest, records, look, signal });
      } catch (error) {
        signal.throwIfAborted();
        if (!isSaid(error)) throw error;
        const said = storedError(error);
        if (!isFinal(error, lease)) again = said;
        for (const one of new Set([digest, ...(await records.open())])) requireOurs(await records.note(one, said, isFinal(error, lease)));
      }
      after = repository;
    }
  }
}
