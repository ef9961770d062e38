import {
  type Database,
  Holds,
  InUse,
  loadProtections,
  loadRepositories,
  loadSnapshot,
  PlanJournal,
  RetentionPolicies,
  type RetentionLease,
  type RetentionRunRow,
  RetentionRuns,
  type StoredError,
  storedError,
  type TopologyRevisions,
} from '@waybill/persistence';
import {
  applyLimits,
  asKeeper,
  type CompiledPolicy,
  type CompiledProtections,
  compilePolicy,
  compileProtections,
  planRepository,
  RetentionError,
} from '@waybill/retention';
import { isImmutableTag, registryNamed, type RetentionPolicy, type Topology } from '@waybill/topology';
import { decisionsOf, outcomeOf } from './decisions-of.js';

/** Repositories taken in one statement. */
const batch = 500;

/** How the planning of a run ended: its plan is kept, there can be none, or another worker has the run. */
export type PlanEnd = { readonly end: 'planned' } | { readonly end: 'failed'; readonly error: StoredError } | { readonly end: 'lost' };

export interface PlanRunOptions {
  readonly database: Database;
  readonly revisions: TopologyRevisions;
}

/** All that the plans of one run have in common. */
interface Planning {
  readonly run: RetentionRunRow;
  readonly journal: PlanJournal;
  readonly registry: Parameters<typeof loadSnapshot>[1]['registry'];
  readonly policies: readonly CompiledPolicy[];
  /** The run's own policy. */
  readonly acting: CompiledPolicy;
  readonly protections: CompiledProtections;
  readonly absentFrom: readonly string[];
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
    if (!(await this.#list(planning, signal))) return { end: 'lost' };
    for (;;) {
      const repositories = await planning.journal.pending(batch);
      if (repositories.length === 0) break;
      for (const repository of repositories) {
        signal.throwIfAborted();
        if (!(await this.#planOne(planning, repository))) return { end: 'lost' };
      }
    }
    return (await this.#finish(planning)) ? { end: 'planned' } : { end: 'lost' };
  }

  async #prepare(lease: RetentionLease): Promise<Planning | { readonly error: StoredError } | undefined> {
    const database = this.#database;
    const run = await new RetentionRuns(database).get(lease.runId);
    const revision = run === undefined ? undefined : await this.#revisions.byNumber(run.revision);
    if (run === undefined || revision === undefined) return undefined;
    if (run.mode !== 'dryRun') return { error: onlyPlans };
    if (!(await this.#revisions.currentRegistries()).some(({ id }) => id === run.registry.id)) return { error: replaced };
    try {
      const others = await new RetentionPolicies(database).ofRegistry(run.registry.id);
      const policies = [run.snapshot, ...others.filter(({ name }) => name !== run.policy)];
      const { topology } = revision;
      const protections = await loadProtections(
        database,
        { holds: new Holds(database), inUse: new InUse(database) },
        {
          name: run.registry.name,
          isImmutableTag: (tag) => isImmutableTag(topology, run.snapshot.registry, tag),
          paths: Object.values(topology.paths).filter(({ from }) => from === run.snapshot.registry),
        },
      );
      return {
        run,
        journal: new PlanJournal(database, lease),
        registry: registryOf(run, topology),
        ...compiled(policies),
        protections: compileProtections({ ...protections, provenanceTargets: new Set() }),
        absentFrom: askedAbout(policies, registryNamed(topology, run.snapshot.registry).of),
      };
    } catch (error) {
      if (error instanceof RetentionError) return { error: storedError(error) };
      throw error;
    }
  }

  async #list({ run, journal, acting }: Planning, signal: AbortSignal): Promise<boolean> {
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

  /** What is wrong with one repository keeps that one whole, and no other from being planned. False when the lease is lost. */
  async #planOne(planning: Planning, repository: string): Promise<boolean> {
    const { run, journal, registry, policies, protections, absentFrom } = planning;
    try {
      const loaded = await loadSnapshot(this.#database, { registry, repository, absentFrom });
      if (loaded === undefined) return await journal.unplanned(repository, forgotten);
      const { snapshot, provenanceTargets, now } = loaded;
      const plan = planRepository(policies, snapshot, { ...protections, provenanceTargets }, now);
      return await journal.planned(repository, decisionsOf(plan, snapshot, run.detail), outcomeOf(plan));
    } catch (error) {
      if (error instanceof RetentionError) return journal.unplanned(repository, storedError(error));
      throw error;
    }
  }

  async #finish({ run: { id, snapshot }, journal }: Planning): Promise<boolean> {
    const run = await new RetentionRuns(this.#database).get(id);
    if (run === undefined) return false;
    const { artifacts, removals, bytesAtMost } = run;
    const all = { totals: { artifacts, removals }, reclaimableBytesAtMost: bytesAtMost };
    const verdict = applyLimits([all], snapshot.limits, { artifacts });
    return journal.finishPlan(verdict.kind === 'exceeded' ? verdict.exceeded : []);
  }
}

function registryOf({ registry: { id, name }, snapshot }: RetentionRunRow, topology: Topology): Planning['registry'] {
  const { role, of } = registryNamed(topology, snapshot.registry);
  return { id, name, role, ...(of === undefined ? {} : { replicaOf: of }) };
}

/** The first is the run's own; disabled, it is planned all the same when somebody asks. */
function compiled([own, ...others]: readonly RetentionPolicy[]): Pick<Planning, 'policies' | 'acting'> {
  const acting = own === undefined ? undefined : compilePolicy({ ...own, mode: 'dryRun' });
  if (acting === undefined) throw new TypeError('a run without a policy');
  return { acting, policies: [acting, ...others.flatMap((policy) => compilePolicy(policy) ?? []).map(asKeeper)] };
}

/** A replica is asked about its prod, whatever its policies say. */
function askedAbout(policies: readonly RetentionPolicy[], prod: string | undefined): readonly string[] {
  const named = policies.flatMap(({ rules }) =>
    rules.flatMap((rule) => (rule.action === 'keep' || rule.absentFrom === undefined ? [] : [rule.absentFrom.registry])),
  );
  return [...new Set([...named, ...(prod === undefined ? [] : [prod])])].sort();
}

const onlyPlans: StoredError = {
  code: 'only-plans',
  message: 'this version plans and removes nothing: let the policy say mode: dryRun',
  operation: 'run retention',
  retryable: false,
};

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
