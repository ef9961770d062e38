import type { DocumentPath } from './finding.js';
import type { TopologyDocument } from './schema.js';

/**
 * What of a document can be understood, however much of it is wrong: every key may be absent,
 * every entry of a list undefined, and all else is of its type. The cross-checks work on it,
 * so that one misspelt key does not hide what is wrong elsewhere.
 */
type Partly<Value> = Value extends readonly (infer Item)[]
  ? readonly (Partly<Item> | undefined)[]
  : Value extends string
    ? Value
    : Value extends object
      ? { readonly [Key in keyof Value]?: Partly<Value[Key]> | undefined }
      : Value;

export interface Draft {
  readonly locations: Readonly<Record<string, Partly<TopologyDocument['locations'][string]>>>;
  readonly registries: Readonly<Record<string, RegistryDraft>>;
  readonly paths: Readonly<Record<string, PathDraft>>;
  readonly replications: readonly ReplicationDraft[];
  readonly retention: readonly PolicyDraft[];
}
export type RegistryDraft = Partly<TopologyDocument['registries'][string]>;
export type PathDraft = Partly<NonNullable<TopologyDocument['paths']>[string]>;
export type ReplicationDraft = Partly<NonNullable<TopologyDocument['replications']>[number]>;
export type PolicyDraft = Partly<NonNullable<TopologyDocument['retention']>[number]>;
export type RuleDraft = Partly<NonNullable<NonNullable<TopologyDocument['retention']>[number]['rules']>[number]>;

/** Blanks what the schema could not use. Nothing is removed: names stay known and lists keep their places. */
export function draftOf(data: unknown, unusable: readonly DocumentPath[]): Draft {
  const document = asRecord(structuredClone(data));
  for (const path of unusable) blank(document, path);
  return {
    locations: asRecords(document['locations']),
    registries: asRecords(document['registries']),
    paths: asRecords(document['paths']),
    replications: asRecordList(document['replications']),
    retention: asRecordList(document['retention']),
  };
}

function blank(document: Record<string, unknown>, path: DocumentPath): void {
  let parent: unknown = document;
  for (const part of path.slice(0, -1)) parent = asRecordOrList(parent)[part];
  const last = path.at(-1);
  if (last === undefined) return;
  asRecordOrList(parent)[last] = undefined;
}

function asRecordOrList(value: unknown): Record<string | number, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function asRecordList(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(asRecord) : [];
}

function asRecords(value: unknown): Record<string, Record<string, unknown>> {
  return Object.fromEntries(Object.entries(asRecord(value)).map(([name, entry]) => [name, asRecord(entry)]));
}
