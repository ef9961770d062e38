import type { PromotionPath, Registry, Topology } from './model.js';
import { nearest } from './nearest.js';
import { TopologyError } from './topology-error.js';

/**
 * A record's own entry. `constructor` is a legal name, so a plain index would find
 * what every object inherits.
 */
export function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** @throws TopologyError `registry-unknown`, with near names in `details.near` */
export function registryNamed(topology: Topology, name: string): Registry {
  const registry = own(topology.registries, name);
  if (registry !== undefined) return registry;
  throw new TopologyError(`the topology has no registry ${JSON.stringify(name.slice(0, 100))}`, {
    code: 'registry-unknown',
    operation: 'find registry',
    details: { near: nearest(name, Object.keys(topology.registries)) },
  });
}

/** @throws TopologyError `path-unknown`, with near names in `details.near` */
export function pathNamed(topology: Topology, name: string): PromotionPath {
  const path = own(topology.paths, name);
  if (path !== undefined) return path;
  throw new TopologyError(`the topology has no path ${JSON.stringify(name.slice(0, 100))}`, {
    code: 'path-unknown',
    operation: 'find path',
    details: { near: nearest(name, Object.keys(topology.paths)) },
  });
}
