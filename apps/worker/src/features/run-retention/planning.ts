import {
  type Database,
  Holds,
  InUse,
  type LoadedRepository,
  loadProtections,
  loadSnapshot,
  loadSnapshots,
  RetentionPolicies,
  type RetentionRunRow,
} from '@waybill/persistence';
import {
  asKeeper,
  type CompiledPolicy,
  type CompiledProtections,
  compilePolicy,
  compileProtections,
  planningSteps,
  type RepositoryPlan,
} from '@waybill/retention';
import { isImmutableTag, registryNamed, type RetentionPolicy, type Topology } from '@waybill/topology';
import { inTurns } from './in-turns.js';

/** A repository as the inventory has it, and what is to become of it. */
export interface PlannedRepository {
  readonly snapshot: LoadedRepository['snapshot'];
  readonly plan: RepositoryPlan;
}

/**
 * All that the plans of one run have in common, as of one moment: the run's policy in the words that it began with, what the other
 * policies of the registry keep now, and what nobody may remove now.
 */
export class Planning {
  private constructor(
    readonly run: RetentionRunRow,
    readonly database: Database,
    /** The run's own policy. */
    readonly acting: CompiledPolicy,
    private readonly facts: PlanningFacts,
  ) {}

  /**
   * `topology` says which tags are immutable and which ones paths depend on.
   * Rejects with RetentionError when a policy does not compile, and with RetentionRefusal when too much is protected.
   */
  static async of(database: Database, run: RetentionRunRow, topology: Topology): Promise<Planning> {
    const others = await new RetentionPolicies(database).ofRegistry(run.registry.id);
    const policies = [run.snapshot, ...others.filter(({ name }) => name !== run.policy)];
    const stores = { holds: new Holds(database), inUse: new InUse(database) };
    const protections = await loadProtections(database, stores, {
      name: run.registry.name,
      isImmutableTag: (tag) => isImmutableTag(topology, run.snapshot.registry, tag),
      paths: Object.values(topology.paths).filter(({ from }) => from === run.snapshot.registry),
    });
    const { acting, all } = compiled(policies);
    return new Planning(run, database, acting, {
      registry: registryOf(run, topology),
      policies: all,
      protections: compileProtections({ ...protections, provenanceTargets: new Set() }),
      absentFrom: askedAbout(policies, registryNamed(topology, run.snapshot.registry).of),
    });
  }

  /** Undefined when the inventory has no such repository. Rejects with RetentionError where nothing can be planned. */
  async plan(repository: string): Promise<PlannedRepository | undefined> {
    const loaded = await this.#load(repository);
    return loaded === undefined ? undefined : await this.planLoaded(loaded);
  }

  /** Rejects with RetentionError where nothing can be planned, and with the signal's reason when it is aborted. */
  async planLoaded({ snapshot, provenanceTargets, now }: LoadedRepository, signal?: AbortSignal): Promise<PlannedRepository> {
    const { policies, protections } = this.facts;
    const steps = planningSteps(policies, snapshot, { ...protections, provenanceTargets }, now);
    return { snapshot, plan: await inTurns(steps, signal) };
  }

  /** By name; those that the inventory does not have are left out. */
  load(repositories: readonly string[]): Promise<ReadonlyMap<string, LoadedRepository>> {
    return loadSnapshots(this.database, this.facts, repositories);
  }

  async snapshot(repository: string): Promise<LoadedRepository['snapshot'] | undefined> {
    return (await this.#load(repository))?.snapshot;
  }

  #load(repository: string): Promise<LoadedRepository | undefined> {
    const { registry, absentFrom } = this.facts;
    return loadSnapshot(this.database, { registry, repository, absentFrom });
  }
}

interface PlanningFacts {
  readonly registry: Parameters<typeof loadSnapshot>[1]['registry'];
  readonly policies: readonly CompiledPolicy[];
  readonly protections: CompiledProtections;
  readonly absentFrom: readonly string[];
}

function registryOf({ registry: { id, name }, snapshot }: RetentionRunRow, topology: Topology): PlanningFacts['registry'] {
  const { role, of } = registryNamed(topology, snapshot.registry);
  return { id, name, role, ...(of === undefined ? {} : { replicaOf: of }) };
}

/** The first is the run's own; disabled, it is planned all the same when somebody asks. */
function compiled([own, ...others]: readonly RetentionPolicy[]): {
  readonly acting: CompiledPolicy;
  readonly all: readonly CompiledPolicy[];
} {
  const acting = own === undefined ? undefined : compilePolicy({ ...own, mode: 'dryRun' });
  if (acting === undefined) throw new TypeError('a run without a policy');
  return { acting, all: [acting, ...others.flatMap((policy) => compilePolicy(policy) ?? []).map(asKeeper)] };
}

/** A replica is asked about its prod, whatever its policies say. */
function askedAbout(policies: readonly RetentionPolicy[], prod: string | undefined): readonly string[] {
  const named = policies.flatMap(({ rules }) =>
    rules.flatMap((rule) => (rule.action === 'keep' || rule.absentFrom === undefined ? [] : [rule.absentFrom.registry])),
  );
  return [...new Set([...named, ...(prod === undefined ? [] : [prod])])].sort();
}
