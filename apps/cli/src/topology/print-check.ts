import type { RegistryCheck } from '@waybill/contracts/http';
import { type CapabilityName, capabilityNames } from '@waybill/oci-model';
import type { Output } from '../output/console-output.js';
import { drawTable } from '../output/table.js';

/** One registry that was checked, by a worker or from here. */
export type CheckedRegistry = Omit<RegistryCheck['registries'][number], 'location'>;
type Report = NonNullable<CheckedRegistry['report']>;

/** Heads of columns, so short that all of them fit side by side. */
const heads: Readonly<Record<CapabilityName, string>> = {
  referrersApi: 'referrers',
  mount: 'mount',
  anonymousMount: 'mount any',
  chunkedUpload: 'chunks',
  manifestDelete: 'delete',
  blobDelete: 'delete blob',
  tagDelete: 'untag',
  tagPagination: 'tag pages',
  immutableTags: 'immutable',
};

/** The registries with what each can, and below it what is wrong and what to do about it. */
export function printChecked(registries: readonly CheckedRegistry[], output: Output): void {
  const rows = registries.map(({ name, report }) => [
    name,
    ...(['reachable', 'read', 'push'] as const).map((probe) => outcomeOf(report, probe)),
    ...capabilityNames.map((capability) => answerOf(report, capability)),
  ]);
  if (rows.length > 0) {
    output.line(drawTable(['registry', 'reached', 'read', 'write', ...capabilityNames.map((name) => heads[name])], rows));
  }
  for (const remarks of [notesOn(registries), registries.flatMap(troubleWith)]) {
    if (remarks.length > 0) output.line();
    for (const remark of remarks) output.line(remark);
  }
  if (rows.length > 0) output.line();
  for (const line of verdictOn(registries)) output.line(line);
}

function outcomeOf(report: Report | undefined, probe: string): string {
  const outcome = report?.probes.find((result) => result.probe === probe)?.outcome;
  return outcome === 'skipped' || outcome === undefined ? '-' : outcome;
}

function answerOf(report: Report | undefined, capability: CapabilityName): string {
  const value = report?.capabilities[capability];
  if (value === undefined || value === 'unknown') return '-';
  return value ? 'yes' : 'no';
}

/** What is said of several registries is said once. */
function notesOn(registries: readonly CheckedRegistry[]): string[] {
  const names = new Map<string, string[]>();
  for (const { name, report } of registries) {
    for (const note of notesIn(report)) names.set(note, [...(names.get(note) ?? []), name]);
  }
  return [...names].map(([note, those]) => `${note} (${those.join(', ')})`);
}

function notesIn(report: Report | undefined): string[] {
  if (report === undefined) return [];
  const readOnly = report.readOnlyBecause === undefined ? [] : [`only reading was checked: ${report.readOnlyBecause}`];
  const notes = report.probes.flatMap(({ probe, note }) => (note === undefined || probe === 'clock' ? [] : [`${probe}: ${note}`]));
  return [...readOnly, ...notes];
}

function troubleWith({ name, report, error }: CheckedRegistry): string[] {
  if (error !== undefined) return [`${name}: ${error.message}`];
  return (report?.probes ?? []).flatMap(({ probe, outcome, message, advice }) =>
    outcome === 'failed' ? [`${name}: ${probe} failed: ${message ?? ''}`, `  → ${advice ?? ''}`] : [],
  );
}

function verdictOn(registries: readonly CheckedRegistry[]): string[] {
  const open = registries.filter(({ state }) => state !== 'finished');
  if (open.length > 0) return [`not looked at yet: ${open.map(({ name }) => name).join(', ')}`];
  if (registries.length === 0) return ['no registry was looked at'];
  const unmet = registries.filter(({ unmet: missing = [] }) => missing.length > 0);
  if (unmet.length > 0) {
    return unmet.map(({ name, unmet: missing = [] }) => `${name} does not grant what the topology needs: ${missing.join(', ')}`);
  }
  const unneeded = registries.filter((registry) => troubleWith(registry).length > 0).map(({ name }) => name);
  return [
    'every registry grants what the topology needs',
    ...(unneeded.length === 0 ? [] : [`no path and no replication needs what failed: ${unneeded.join(', ')}`]),
  ];
}
