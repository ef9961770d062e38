import { type ProbeName, type RegistryReport, resultOf } from '@waybill/oci-model';
import type { Registry, Topology } from './model.js';

const toRead: readonly ProbeName[] = ['reachable', 'read'];
const toWrite: readonly ProbeName[] = [...toRead, 'write', 'push', 'pull'];

/** Why a check of the registry must not write to it; undefined when it may. */
export function readOnlyBecause({ role, local, credentials, tls }: Registry): string | undefined {
  if (role === 'upstream' || role === 'cache') return `nothing is ever written to a registry of role ${role}`;
  if (local === undefined && credentials?.write === undefined && tls?.cert === undefined) return 'the topology gives no write credentials';
  return undefined;
}

/** What a registry must grant for the topology to work: what paths and replications lead from is read, and what they lead to is written too. */
export function neededProbes({ paths, replications }: Topology, registry: string): readonly ProbeName[] {
  const edges = [...Object.values(paths), ...replications];
  if (edges.some(({ to }) => to.includes(registry))) return toWrite;
  return edges.some(({ from }) => from === registry) ? toRead : [];
}

/** The needs that a report does not show to be met; all of them when there is no report. */
export function unmetNeeds(topology: Topology, registry: string, report: Pick<RegistryReport, 'probes'> | undefined): readonly ProbeName[] {
  return neededProbes(topology, registry).filter((probe) => report === undefined || resultOf(report, probe)?.outcome !== 'ok');
}
