import type { Topology } from './model.js';

/**
 * One text for each meaning: JSON with sorted keys, so that two files that differ only in order,
 * comments or spelling of defaults give the same revision hash. The order of lists is kept.
 */
export function canonicalTopology(topology: Topology): string {
  return JSON.stringify(topology, (_key, value: unknown) => (isRecord(value) ? sorted(value) : value));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)));
}
