import { effectiveCapabilities, type RegistryCapabilities } from '@waybill/oci-model';
import type { Registry, Topology } from './model.js';

/** The topology with what checks found of its registries, by name. What the file declares wins; what neither says is unknown. */
export function withProbedCapabilities(topology: Topology, probed: ReadonlyMap<string, Partial<RegistryCapabilities>>): Topology {
  const registries = Object.entries(topology.registries).map(([name, registry]): [string, Registry] => [
    name,
    { ...registry, capabilities: effectiveCapabilities(registry.capabilities, probed.get(name)) },
  ]);
  return { ...topology, registries: Object.fromEntries(registries) };
}
