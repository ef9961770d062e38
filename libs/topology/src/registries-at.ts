import type { Registry, Topology } from './model.js';

/** The registries that stand at a location, in the order of the topology; none when it is unknown. */
export function registriesAt(topology: Topology, location: string): Registry[] {
  return Object.values(topology.registries).filter((registry) => registry.location === location);
}
