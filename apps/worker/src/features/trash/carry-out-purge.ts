import type { RepositoryName } from '@waybill/oci-model';
import { type PurgeRecords, type StoredError, storedError, type TrashRequestLease, type TrashRequestLeases } from '@waybill/persistence';
import type { OpenedTrash, TrashClients } from '../../infrastructure/trash/trash-clients.js';
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
  /** How long a manifest waits until its repository is read, in milliseconds; 10 seconds when not given. */
  readonly lookMs?: number;
}

const defaultLookMs = 10_000;

/** Deletes what a purge names, one repository after another: what cannot be done in one keeps no other, and neither does what takes long. */
export class CarryOutPurge implements CarryOut {
  readonly #options: CarryOutPurgeOptions;

  constructor(options: CarryOutPurgeOptions) {
    this.#options = options;
  }

  async carryOut(lease: TrashRequestLease, signal: AbortSignal): Promise<StoredError | undefined> {
    const { leases, clients, lookMs = defaultLookMs } = this.#options;
    const opened = await clients.open(lease.registryId);
    const late: RepositoryName[] = [];
    let again: StoredError | undefined;
    let after = '';
    for (;;) {
      signal.throwIfAborted();
      const repository = await leases.nextRepository(lease, after);
      if (repository === undefined) break;
      const end = await this.#purge({ lease, opened, repository, lookMs }, signal);
      if (end === 'late') late.push(repository);
      else again = end ?? again;
      after = repository;
    }
    for (const repository of late) {
      signal.throwIfAborted();
      const end = await this.#purge({ lease, opened, repository, lookMs: undefined }, signal);
      if (end !== 'late') again = end ?? again;
    }
    return again;
  }

  /** Why it is to be tried again; `late` where reading the repository took too long for now. */
  async #purge({ lease, opened, repository, lookMs }: PurgeOf, signal: AbortSignal): Promise<StoredError | 'late' | undefined> {
    const { recordsOf, lookRecordsOf } = this.#options;
    const { digest } = lease.asked;
    if (digest === undefined) throw new TypeError('a purge names a digest');
    const records = recordsOf(lease, repository);
    const look = (until: AbortSignal) => lookBeforePurge({ lease, repository, opened, lookRecordsOf }, until);
    try {
      const end = await purgeRepository({ opened, repository, digest, records, look, lookMs, signal });
      return end === 'late' ? end : undefined;
    } catch (error) {
      signal.throwIfAborted();
      if (!isSaid(error)) throw error;
      const said = storedError(error);
      for (const one of new Set([digest, ...(await records.open())])) requireOurs(await records.note(one, said, isFinal(error, lease)));
      return isFinal(error, lease) ? undefined : said;
    }
  }
}

interface PurgeOf {
  readonly lease: TrashRequestLease;
  readonly opened: OpenedTrash;
  readonly repository: RepositoryName;
  readonly lookMs: number | undefined;
}
