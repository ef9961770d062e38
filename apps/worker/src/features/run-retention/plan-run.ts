import {
  type Database,
  groupRepositories,
  type LoadedRepository,
  loadRepositories,
  PlanJournal,
  type RetentionLease,
  RetentionRuns,
  type StoredError,
  storedError,
  type TopologyRevisions,
} from '@waybill/persistence';
import { applyLimits, RetentionError } from '@waybill/retention';
import { decisionsOf, outcomeSteps } from './decisions-of.js';
import { inTurns } from './in-turns.js';
import { PlanWriter } from './plan-writer.js';
import { Planning } from './planning.js';

/** Repositories taken in one statement. */
const batch = 500;
/** Manifests from which on the decisions about a repository are written some at a time. */
const writtenAlone = 2_000;

/** How the planning of a run ended: its plan is kept, there can be none, or another worker has the run. */
export type PlanEnd = { readonly end: 'planned' } | { readonly end: 'failed'; readonly error: StoredError } | { readonly end: 'lost' };

export interface PlanRunOptions {
  readonly database: Database;
  readonly revisions: TopologyRevisions;
}

/** A run that is planned. */
interface UnderWay {
  readonly planning: Planning;
  readonly journal: PlanJournal;
}

/**
 * Plans what a run would remove, one repository after another, from what the inventory knows.
 * Only the run's own policy removes: the others of the registry keep what they keep.
 */
export class PlanRun {
  readonly #database: Database;
  readonly #revisions: TopologyRevisions;

  constructor({ database, revisions }: PlanRunOptions) {
    this.#database = database;
    this.#revisions = revisions;
  }

  /** Rejects with the signal's reason when it is aborted, and where the database cannot be asked. */
  async plan(lease: RetentionLease, signal: AbortSignal): Promise<PlanEnd> {
    const planning = await this.#prepare(lease);
    if (planning === undefined) return { end: 'lost' };
    if ('error' in planning) return { end: 'failed', error: planning.error };
    const underWay = { planning, journal: new PlanJournal(this.#database, lease) };
    if (!(await this.#list(underWay, signal))) return { end: 'lost' };
    for (;;) {
      const repositories = await underWay.journal.pending(batch);
      if (repositories.length === 0) break;
      if (!(await this.#planSome(underWay, repositories, signal))) return { end: 'lost' };
    }
    return (await this.#finish(underWay)) ? { end: 'planned' } : { end: 'lost' };
  }

  async #prepare(lease: RetentionLease): Promise<Planning | { readonly error: StoredError } | undefined> {
    const run = await new RetentionRuns(this.#database).get(lease.runId);
    const revision = run === undefined ? undefined : await this.#revisions.byNumber(run.revision);
    if (run === undefined || revision === undefined) return undefined;
    if (!(await this.#revisions.currentRegistries()).some(({ id }) => id === run.registry.id)) return { error: replaced };
    try {
      return await Planning.of(this.#database, run, revision.topology);
    } catch (error) {
      if (error instanceof RetentionError) return { error: storedError(error) };
      throw error;
    }
  }

  async #list({ planning: { run, acting }, journal }: UnderWay, signal: AbortSignal): Promise<boolean> {
    let after = '';
    for (;;) {
      signal.throwIfAborted();
      const names = await loadRepositories(this.#database, run.registry.id, { after, limit: batch });
      if (!(await journal.add(names.filter((name) => acting.selects(name))))) return false;
      const last = names.at(-1);
      if (last === undefined || names.length < batch) return true;
      after = last;
    }
  }

  /** The next ones are loaded while some are planned. False when the lease is lost. */
  async #planSome({ planning, journal }: UnderWay, repositories: readonly string[], signal: AbortSignal): Promise<boolean> {
    const groups = await groupRepositories(this.#database, planning.run.registry.id, repositories);
    const load = (group: readonly string[] | undefined) => {
      const loading = planning.load(group ?? []);
      // Who waits for it next is told; until then nobody does.
      loading.catch(() => undefined);
      return loading;
    };
    const writer = new PlanWriter(journal);
    let next = load(groups[0]);
    for (const [at, group] of groups.entries()) {
      const loaded = await next;
      if (at + 1 < groups.length) next = load(groups[at + 1]);
      for (const repository of group) {
        signal.throwIfAborted();
        const one = { repository, loaded: loaded.get(repository) };
        if (!(await this.#planOne({ planning, journal, writer }, one, signal))) return false;
      }
    }
    return await writer.flush();
  }

  /** What is wrong with one repository keeps that one whole, and no other from being planned. False when the lease is lost. */
  async #planOne(
    { planning, journal, writer }: UnderWay & { readonly writer: PlanWriter },
    { repository, loaded }: { readonly repository: string; readonly loaded: LoadedRepository | undefined },
    signal: AbortSignal,
  ): Promise<boolean> {
    if (loaded === undefined) return journal.unplanned(repository, forgotten);
    try {
      const { snapshot, plan } = await planning.planLoaded(loaded, signal);
      const outcome = await inTurns(outcomeSteps(plan), signal);
      const decisions = decisionsOf(plan, snapshot, planning.run.detail);
      if (snapshot.manifests.length > writtenAlone) return await journal.planned(repository, decisions, outcome);
      return await writer.add({ repository, decisions: [...decisions], outcome });
    } catch (error) {
      if (error instanceof RetentionError) return journal.unplanned(repository, storedError(error));
      throw error;
    }
  }

  async #finish({ planning, journal }: UnderWay): Promise<boolean> {
    const { id, snapshot } = planning.run;
    const run = await new RetentionRuns(this.#database).get(id);
    if (run === undefined) return false;
    const { artifacts, removals, bytesAtMost } = run;
    const all = { totals: { artifacts, removals }, reclaimableBytesAtMost: bytesAtMost };
    const verdict = applyLimits([all], snapshot.limits, { artifacts });
    return journal.finishPlan(verdict.kind === 'exceeded' ? verdict.exceeded : []);
  }
}

const replaced: StoredError = {
  code: 'registry-replaced',
  message: 'the name means another registry since the run began: have the policy run again',
  operation: 'plan retention',
  retryable: false,
};

const forgotten: StoredError = {
  code: 'repository-unknown',
  message: 'the inventory has no such repository any more',
  operation: 'plan retention',
  retryable: true,
};
