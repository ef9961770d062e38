import { errorRecord, isError } from './error-record.js';
import { redactText } from './redact.js';

/** What one line may hold at most; the rest is cut and says so. */
export const bounds = { depth: 8, entries: 64, characters: 8_192 } as const;

/** In characters; a secret that begins before the cut is seen as a whole. */
const longestSecret = 4_096;

/**
 * A copy of a value that JSON can carry: errors become records, bytes a count, big integers text, cycles a word.
 * It is bounded in depth, breadth and length, and nothing in the value (getters, `toJSON`) can make it throw.
 */
export function toPlain(value: unknown): unknown {
  return plain(value, 0, new Set());
}

type Ancestors = Set<object>;

function plain(value: unknown, depth: number, ancestors: Ancestors): unknown {
  switch (typeof value) {
    case 'string':
      return cut(value);
    case 'bigint':
      return value.toString();
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : plainObject(value, depth, ancestors);
    default:
      return undefined;
  }
}

function plainObject(value: object, depth: number, ancestors: Ancestors): unknown {
  if (ancestors.has(value)) return '[circular]';
  if (depth >= bounds.depth) return '[too deep]';
  ancestors.add(value);
  try {
    return members(value, depth + 1, ancestors);
  } catch {
    return '[unreadable]';
  } finally {
    ancestors.delete(value);
  }
}

function members(value: object, depth: number, ancestors: Ancestors): unknown {
  if (isError(value)) return record(errorRecord(value), depth, ancestors);
  if (value instanceof Uint8Array) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return list(value, value.length, depth, ancestors);
  if (value instanceof Map) return record(Object.fromEntries(value as ReadonlyMap<string, unknown>), depth, ancestors);
  if (value instanceof Set) return list(value, value.size, depth, ancestors);
  if (convertsItself(value)) return plain(value.toJSON(), depth, ancestors);
  return record(value as Readonly<Record<string, unknown>>, depth, ancestors);
}

function convertsItself(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

function list(values: Iterable<unknown>, length: number, depth: number, ancestors: Ancestors): unknown[] {
  const result: unknown[] = [];
  for (const value of values) {
    if (result.length === bounds.entries) return [...result, `[${length - bounds.entries} more]`];
    result.push(plain(value, depth, ancestors) ?? null);
  }
  return result;
}

function record(value: Readonly<Record<string, unknown>>, depth: number, ancestors: Ancestors): Record<string, unknown> {
  const keys = Object.keys(value);
  const result: Record<string, unknown> = {};
  for (const key of keys.slice(0, bounds.entries)) result[cut(key)] = member(value, key, depth, ancestors);
  if (keys.length > bounds.entries) result['…'] = `[${keys.length - bounds.entries} more]`;
  return result;
}

function member(value: Readonly<Record<string, unknown>>, key: string, depth: number, ancestors: Ancestors): unknown {
  try {
    return plain(value[key], depth, ancestors);
  } catch {
    return '[unreadable]';
  }
}

/** Redacts what it cuts, because half a secret may no longer look like one. */
function cut(text: string): string {
  if (text.length <= bounds.characters) return text;
  const beginning = redactText(text.slice(0, bounds.characters + longestSecret)).slice(0, bounds.characters);
  return `${beginning}[cut from ${text.length} characters]`;
}
