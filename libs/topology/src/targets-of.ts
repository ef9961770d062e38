import type { RepositoryName } from '@waybill/oci-model';
import { matchesGlob } from './glob.js';
import { pathNamed, registryNamed } from './lookup.js';
import type { PlacedRegistry, Registry, Topology } from './model.js';

/** A registry that a promotion along a path writes to. */
export interface PromotionTarget {
  readonly registry: PlacedRegistry;
  /** `required` decides success; `replication` joins the same read, best-effort. */
  readonly kind: 'required' | 'replication';
  /** The required target that a replica repeats. */
  readonly of?: string;
}

/**
 * The targets of a path: each `to`, followed by the replicas that replications bring in.
 * With the target repository, only replications that carry it; without, all that could.
 * @throws TopologyError `path-unknown`
 */
export function targetsOf(topology: Topology, pathName: string, repository?: RepositoryName): PromotionTarget[] {
  return pathNamed(topology, pathName).to.flatMap((name) => [
    { registry: placed(registryNamed(topology, name)), kind: 'required' as const },
    ...replicasOf(topology, name, repository).map((registry) => ({ registry, kind: 'replication' as const, of: name })),
  ]);
}

function replicasOf(topology: Topology, prod: string, repository: RepositoryName | undefined): PlacedRegistry[] {
  const names = topology.replications
    .filter(({ from }) => from === prod)
    .filter(({ repositories }) => repository === undefined || matchesGlob(repositories, repository, 'repository'))
    .flatMap(({ to }) => to);
  return [...new Set(names)].map((name) => placed(registryNamed(topology, name)));
}

/** Validation lets no upstream be a target. */
function placed(registry: Registry): PlacedRegistry {
  if (registry.role !== 'upstream') return registry;
  throw new TypeError(`upstream "${registry.name}" is a target: the topology was not validated`);
}
