import { RegistryReport } from '@waybill/contracts/http';
import { ContentError } from '@waybill/oci-model';
import { checkRegistry, type RegistryClients } from '@waybill/registry-clients';
import { registryNamed, type Topology, unmetNeeds } from '@waybill/topology';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { type CheckedRegistry, printChecked } from './print-check.js';
import { readTopologyFile, warningLines } from './read-topology-file.js';

export interface CheckTopologyFileOptions {
  readonly json: boolean;
  /** With the secrets that this process has. */
  readonly clients: RegistryClients;
  readonly signal?: AbortSignal;
}

const atOnce = 4;

/** Probes the registries of a file from this machine, before it is applied; gives the exit status. Nothing is kept. */
export async function checkTopologyFile(
  file: string,
  names: readonly string[],
  { json, clients, signal }: CheckTopologyFileOptions,
  output: Output,
): Promise<number> {
  const read = await readTopologyFile(file);
  for (const warning of warningLines(read)) output.error(warning);
  const { topology } = read;
  const named = names.length === 0 ? Object.keys(topology.registries) : [...new Set(names)];
  const [run, reached] = partition(named, (name) => registryNamed(topology, name).local !== undefined);
  const registries = await mapSome(reached, (name) => check(name, { topology, clients, signal }));
  signal?.throwIfAborted();
  if (json) output.json({ file, registries, notChecked: run });
  else {
    printChecked(registries, output);
    if (run.length > 0) output.line(`not looked at, since "waybill up" runs them: ${run.join(', ')}`);
  }
  return registries.every(({ unmet }) => unmet?.length === 0) ? exitStatus.succeeded : exitStatus.failed;
}

interface Surroundings extends Pick<CheckTopologyFileOptions, 'clients'> {
  readonly topology: Topology;
  readonly signal: AbortSignal | undefined;
}

async function check(name: string, { topology, clients, signal }: Surroundings): Promise<CheckedRegistry> {
  const registry = registryNamed(topology, name);
  try {
    const report = await checkRegistry(clients, registry, signal === undefined ? {} : { signal });
    return { name, state: 'finished', report: RegistryReport.parse(report), unmet: [...unmetNeeds(topology, name, report)] };
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
    const { code, message } = error;
    return { name, state: 'finished', error: { code, message }, unmet: [...unmetNeeds(topology, name, undefined)] };
  }
}

function partition(names: readonly string[], isFirst: (name: string) => boolean): readonly [readonly string[], readonly string[]] {
  return [names.filter(isFirst), names.filter((name) => !isFirst(name))];
}

/** In the order of `names`. */
async function mapSome<T>(names: readonly string[], work: (name: string) => Promise<T>): Promise<readonly T[]> {
  const results: T[] = [];
  const rest = names.entries();
  const lane = async (): Promise<void> => {
    for (const [index, name] of rest) results[index] = await work(name);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}
