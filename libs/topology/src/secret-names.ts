import type { Topology } from './model.js';

/** The names of all secrets that the topology's registries need, sorted, each once. */
export function secretNames(topology: Topology): string[] {
  const names = Object.values(topology.registries).flatMap(({ credentials }) => [credentials?.read, credentials?.write]);
  return [...new Set(names.flatMap((ref) => (ref === undefined ? [] : [ref.secret])))].sort();
}
