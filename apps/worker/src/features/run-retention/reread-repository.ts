import { type LookEnd, lookAtRepository, type RepositoryReader } from '@waybill/inventory';
import type { RepositoryName } from '@waybill/oci-model';
import { type Database, rereadRecords, type RetentionLease, type RetentionRunRow, type TopologyRevisions } from '@waybill/persistence';
import type { FreshKnowledge, FreshPlan, RepositorySnapshot } from '@waybill/retention';
import type { Registry } from '@waybill/topology';
import { Planning } from './planning.js';
import { rereadError } from './reread-error.js';

export interface RereadRepositoryOptions {
  readonly database: Database;
  readonly revisions: Pick<TopologyRevisions, 'active'>;
  readonly lease: RetentionLease;
  readonly run: RetentionRunRow;
  readonly repository: RepositoryName;
  readonly registry: Registry;
  readonly reader: RepositoryReader;
}

/** Reads a repository of a run again: all of it at the registry, and everything that protects it, as of now. */
export class RereadRepository implements FreshPlan {
  readonly #options: RereadRepositoryOptions;

  constructor(options: RereadRepositoryOptions) {
    this.#options = options;
  }

  /** Rejects with RereadError, RetentionError or RetentionRefusal: then nothing of it may be deleted. */
  async plan(signal: AbortSignal): Promise<FreshKnowledge> {
    const { state, isComplete, problem } = await this.#lookNow(signal);
    if (state === 'suspect' || state === 'gone') throw rereadError('repository-suspect', problem?.message ?? 'the repository looks gone');
    if (!isComplete) throw rereadError('repository-unreadable', problem?.message ?? 'not all of the repository could be read');
    const planned = await (await this.#planning()).plan(this.#options.repository);
    if (planned === undefined) throw unknown();
    return planned;
  }

  /** Rejects with RereadError when its tags could not be listed. */
  async look(signal: AbortSignal): Promise<RepositorySnapshot> {
    await this.#lookNow(signal);
    const snapshot = await (await this.#planning()).snapshot(this.#options.repository);
    if (snapshot === undefined) throw unknown();
    return snapshot;
  }

  async #lookNow(signal: AbortSignal): Promise<LookEnd> {
    const { database, lease, run, repository, registry, reader } = this.#options;
    const ends: LookEnd[] = [];
    const records = await rereadRecords(database, lease, { registryId: run.registry.id, repository, onEnd: (end) => ends.push(end) });
    if (records === undefined) throw unknown();
    const mayListReferrers = registry.capabilities?.referrersApi !== false;
    const look = { kind: 'full', reader, records, isInCatalogue: undefined, mayListReferrers, count: () => undefined } as const;
    const looked = await lookAtRepository(look, signal);
    if (looked.outcome === 'failed') {
      throw rereadError(looked.isOfTheRegistry ? 'registry-trouble' : 'repository-unreadable', looked.problem.message);
    }
    const end = ends.at(-1);
    if (end === undefined) throw new TypeError('a look without an end');
    return end;
  }

  /** By the topology that is active now: what it makes immutable, and what its paths depend on. */
  async #planning(): Promise<Planning> {
    const { database, revisions, run } = this.#options;
    const active = await revisions.active();
    if (active?.topology.registries[run.snapshot.registry] === undefined) {
      throw rereadError('registry-unknown', `the topology has no registry ${run.snapshot.registry} any more`);
    }
    return Planning.of(database, run, active.topology);
  }
}

const unknown = () => rereadError('repository-unknown', 'the inventory has no such repository any more');
