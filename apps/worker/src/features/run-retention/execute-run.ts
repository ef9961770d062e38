import { WaybillError } from '@waybill/kernel';
import { parseRepositoryName, type RepositoryName } from '@waybill/oci-model';
import type { Logger } from '@waybill/observability';
import {
  type ActingState,
  type Database,
  ExecutionJournal,
  ExecutionStop,
  PersistenceError,
  type RetentionLease,
  type RetentionRunRow,
  RetentionRuns,
  RetentionTrash,
  storedError,
  type TopologyRevisions,
} from '@waybill/persistence';
import { executeRepository, type ExecutionPorts, markRepository } from '@waybill/retention';
import { KeepInTrash } from '../../infrastructure/trash/keep-in-trash.js';
import type { OpenedTrash, TrashClients } from '../../infrastructure/trash/trash-clients.js';
import { ArchiveCopy, type OpenedArchive } from './archive-copy.js';
import { RereadError, rereadError } from './reread-error.js';
import { RereadRepository } from './reread-repository.js';
import { tagsMissing } from './tags-missing.js';

/** Repositories taken in one statement. */
const batch = 100;
/** So many repositories in a row that fail as any other would: the registry itself is in trouble. */
const maxTroubles = 5;

/** How far a run was carried: its state when it ended, that it waits, that it may not go on, or that another worker has it. */
export type ExecutionEnd = 'succeeded' | 'partial' | 'failed' | 'cancelled' | 'resting' | 'stopped' | 'lost';

export interface ExecuteRunOptions {
  readonly database: Database;
  readonly revisions: Pick<TopologyRevisions, 'active' | 'currentRegistries'>;
  readonly clients: Pick<TrashClients, 'open'>;
  readonly logger: Logger;
  /** What a run writes down; for specs, which let it fail. */
  readonly journalOf?: (lease: RetentionLease) => ExecutionJournal;
}

/** A run that is carried out. */
interface UnderWay {
  readonly run: RetentionRunRow;
  readonly lease: RetentionLease;
  readonly journal: ExecutionJournal;
  readonly signal: AbortSignal;
  /** Repositories in a row that the registry's own trouble ended. */
  readonly troubles: { inARow: number };
}

/**
 * Carries out what a run has planned, one repository after another: marks, waits for the grace to be over, reads again, deletes.
 * One repository's trouble is its own.
 */
export class ExecuteRun {
  readonly #options: ExecuteRunOptions;

  constructor(options: ExecuteRunOptions) {
    this.#options = options;
  }

  /** Rejects with the signal's reason when it is aborted, and where the database cannot be asked. */
  async execute(lease: RetentionLease, signal: AbortSignal): Promise<ExecutionEnd> {
    const { database, journalOf } = this.#options;
    const run = await new RetentionRuns(database).get(lease.runId);
    if (run === undefined) return 'lost';
    const journal = journalOf?.(lease) ?? new ExecutionJournal(database, lease);
    try {
      return await this.#carryOn({ run, lease, journal, signal, troubles: { inARow: 0 } });
    } catch (error) {
      if (signal.aborted || !(error instanceof ExecutionStop || error instanceof RereadError)) throw error;
      return await this.#stop(journal, error);
    }
  }

  async #carryOn(underWay: UnderWay): Promise<ExecutionEnd> {
    const { journal } = underWay;
    const marked = await this.#each(underWay, ['marking', 'planned'], (repository) => this.#mark(underWay, repository));
    if (marked === 0) await this.#each(underWay, ['deleting', 'grace'], (repository) => this.#delete(underWay, repository));
    const state = marked === 0 ? await journal.finish() : undefined;
    if (state !== undefined) return state as ExecutionEnd;
    await journal.rest();
    return 'resting';
  }

  async #stop(journal: ExecutionJournal, stop: ExecutionStop | RereadError): Promise<ExecutionEnd> {
    if (stop.code === 'lease-lost') return 'lost';
    if (stop instanceof ExecutionStop && stop.retryable) {
      await journal.rest();
      return 'resting';
    }
    await journal.stop(storedError(stop));
    return 'stopped';
  }

  /** Each repository leaves its state when it is worked on, so that the next page has others. */
  async #each(underWay: UnderWay, states: readonly ActingState[], work: (repository: RepositoryName) => Promise<void>): Promise<number> {
    const { journal, signal } = underWay;
    let count = 0;
    for (const state of states) {
      for (let page = await journal.repositories(state, batch); page.length > 0; page = await journal.repositories(state, batch)) {
        for (const repository of page) {
          signal.throwIfAborted();
          count += 1;
          await this.#tried(underWay, repository, () => work(parseRepositoryName(repository)));
        }
      }
    }
    return count;
  }

  async #tried(underWay: UnderWay, repository: string, work: () => Promise<void>): Promise<void> {
    const { journal, signal, run, troubles } = underWay;
    try {
      await work();
      troubles.inARow = 0;
    } catch (error) {
      if (signal.aborted || !isTrouble(error)) throw error;
      this.#options.logger.warn({ runId: run.id, repository, err: error }, 'nothing more is deleted from the repository in this run');
      await journal.fail(repository, storedError(error));
      troubles.inARow = error.code === 'registry-trouble' ? troubles.inARow + 1 : 0;
      if (troubles.inARow >= maxTroubles) throw error;
    }
  }

  async #mark(underWay: UnderWay, repository: RepositoryName): Promise<void> {
    const { journal, run, signal } = underWay;
    await journal.enter(repository, 'marking');
    const { unlisting } = await this.#options.clients.open(run.registry.id);
    await markRepository({ records: journal.of(repository), registry: registryOf(unlisting.repository(repository)) }, signal);
    await journal.enter(repository, 'grace');
  }

  async #delete(underWay: UnderWay, repository: RepositoryName): Promise<void> {
    const { journal, run, signal } = underWay;
    await journal.enter(repository, 'deleting');
    const opened = await this.#options.clients.open(run.registry.id);
    const { restored, missing } = await executeRepository(this.#portsOf(underWay, repository, opened), signal);
    if (restored.length > 0) {
      this.#options.logger.warn(
        { runId: run.id, repository, digests: restored },
        'somebody pushed what was just deleted: it was brought back',
      );
    }
    if (missing.length > 0) throw tagsMissing(missing);
    await journal.done(repository);
  }

  #portsOf({ journal, run, lease }: UnderWay, repository: RepositoryName, opened: OpenedTrash): ExecutionPorts {
    const { database, revisions } = this.#options;
    const { softDelete } = run.snapshot;
    const source = opened.client.repository(repository);
    const records = journal.of(repository);
    const reread = { database, revisions, lease, run, repository, registry: opened.registry, reader: source };
    const place = { registryId: run.registry.id, runId: run.id, repository };
    return {
      repository,
      records,
      registry: registryOf(opened.unlisting.repository(repository), source),
      fresh: new RereadRepository(reread),
      isTrouble,
      archive: new ArchiveCopy({ repository, source, records, open: (registry) => this.#open(registry) }),
      ...(softDelete === undefined
        ? {}
        : { trash: new KeepInTrash({ ...place, trash: new RetentionTrash(database), opened, ttlMs: softDelete.ttlMs }) }),
    };
  }

  async #open(name: string): Promise<OpenedArchive> {
    const { revisions, clients } = this.#options;
    const registry = (await revisions.currentRegistries()).find((each) => each.name === name);
    if (registry === undefined) throw rereadError('registry-unknown', `the topology has no registry ${name} any more`);
    return { registryId: registry.id, client: (await clients.open(registry.id)).client };
  }
}

/**
 * Of the registry, of the archive or of what is planned: no mistake of ours, no end of the run, and not the database's, for which no
 * repository is to blame.
 */
function isTrouble(error: unknown): error is WaybillError {
  return error instanceof WaybillError && !(error instanceof PersistenceError || error instanceof ExecutionStop);
}

type Repository = ReturnType<OpenedTrash['client']['repository']>;

/** `listing` keeps the list of referrers where the registry keeps none; what is deleted goes with its list. */
function registryOf(store: Repository, listing: Repository = store): ExecutionPorts['registry'] {
  return {
    readManifest: (digest, signal) => store.readManifest(digest, signal),
    hasManifest: (digest, signal) => store.hasManifest(digest, signal),
    resolveTag: (tag, signal) => store.resolveTag(tag, signal),
    listTags: (signal) => store.listTags(signal),
    deleteManifest: (digest, signal) => store.deleteManifest(digest, signal),
    untag: (tag, digest, signal) => store.untagFrom(tag, digest, signal),
    pushManifest: (manifest, signal) => listing.pushManifest(manifest, signal),
    putTag: (tag, manifest, signal) => store.putTag(tag, manifest, signal),
  };
}
