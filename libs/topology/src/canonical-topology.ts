import type { Topology } from './model.js';

/**
 * One text for each meaning: JSON with sorted keys, so that two files that differ only in order,
 * comments or spelling of defaults give the same revision hash. The order of lists is kept.
 * A topology without retention has the text that it had before there were retention policies.
 */
export function canonicalTopology(topology: Topology): string {
  const { retention, ...rest } = topology;
  return canonicalJson(retention.length === 0 ? rest : topology);
}

/** JSON with sorted keys. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (isRecord(part) ? sorted(part) : part));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)));
}
