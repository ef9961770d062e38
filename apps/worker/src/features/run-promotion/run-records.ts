import {
  cancelledAmong,
  closeRun,
  type Database,
  type DispatchLease,
  DispatchLeases,
  type DispatchMessage,
  type LoadedRun,
  loadRun,
  PrismaRunJournal,
  RegistryChecks,
  sendProgress,
} from '@waybill/persistence';
import { withProbedCapabilities } from '@waybill/topology';

/** The rows of runs: who may run what, what is to be done there, and what has become of it. */
export class RunRecords {
  readonly #database: Database;
  readonly #leaseMs: number;
  readonly #leases: DispatchLeases;
  readonly #checks: RegistryChecks;

  constructor(database: Database, { leaseMs }: { readonly leaseMs: number }) {
    this.#database = database;
    this.#leaseMs = leaseMs;
    this.#leases = new DispatchLeases(database, { leaseMs });
    this.#checks = new RegistryChecks(database);
  }

  /** Undefined when there is nothing to run for this message. */
  claim(message: DispatchMessage, holder: string): Promise<DispatchLease | undefined> {
    return this.#leases.claim(message, holder);
  }

  /** False when the lease is lost. */
  renew(lease: DispatchLease): Promise<boolean> {
    return this.#leases.renew(lease);
  }

  /** Those of the promotions that are cancelled. */
  cancelledAmong(promotionIds: readonly string[]): Promise<ReadonlySet<string>> {
    return cancelledAmong(this.#database, promotionIds);
  }

  /** Hands a run over that is not finished; `begun`: the targets that it began an attempt at. */
  release(lease: DispatchLease, begun: ReadonlySet<string>): Promise<void> {
    return this.#leases.release(lease, begun);
  }

  /** What is to be done, with a topology that knows what checks found. */
  async load({ promotionId, location }: DispatchLease): Promise<LoadedRun | undefined> {
    const loaded = await loadRun(this.#database, promotionId, location);
    if (loaded === undefined) return undefined;
    return { ...loaded, topology: withProbedCapabilities(loaded.topology, await this.#checks.knownCapabilities()) };
  }

  journalOf(lease: DispatchLease): PrismaRunJournal {
    return new PrismaRunJournal(this.#database, lease, { tagLeaseMs: this.#leaseMs });
  }

  /** Tells whoever listens of bytes under way. Nothing is kept. */
  tell(payloads: readonly string[]): Promise<void> {
    return sendProgress(this.#database, payloads);
  }

  /** Ends a run that did all it could. */
  close(lease: DispatchLease): Promise<void> {
    return closeRun(this.#database, lease);
  }
}
