import { parseTopology, type Topology, type TopologyChange, topologyChanges } from '@waybill/topology';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { drawTable } from '../output/table.js';
import { readTopologyFile, TopologyFileError, warningLines } from './read-topology-file.js';

export interface DiffTopologyOptions {
  readonly json: boolean;
  /** Compare with this file, without any server. */
  readonly from?: string;
}

/** Shows what a file would change of the active revision; gives the exit status. Nothing is applied. */
export async function diffTopology(
  api: () => WaybillApi,
  file: string,
  { json, from }: DiffTopologyOptions,
  output: Output,
): Promise<number> {
  const read = await readTopologyFile(file);
  for (const warning of warningLines(read)) output.error(warning);
  const before = from === undefined ? await activeTopology(api()) : { ...(await readTopologyFile(from)), name: from };
  const changes = topologyChanges(before.topology, read.topology);
  if (json) output.json({ from: before.name, to: file, changes });
  else if (changes.length === 0) output.line(`${file} says the same as ${before.name}`);
  else output.line(drawTable(['', 'what', 'name', 'differs in', 'which means'], changes.map(rowOf)));
  return exitStatus.succeeded;
}

async function activeTopology(api: WaybillApi): Promise<{ readonly name: string; readonly topology: Topology }> {
  const { revision, source } = await api.topology();
  const name = `revision ${revision.number}`;
  const { topology, diagnostics } = parseTopology(source, { file: name });
  if (topology !== undefined) return { name, topology };
  const message = `${name} says what this version of waybill does not understand: use the version of the server`;
  throw new TopologyFileError(message, { code: 'topology-invalid' }, diagnostics);
}

const signs: Readonly<Record<TopologyChange['change'], string>> = { added: '+', removed: '-', changed: '~' };

function rowOf({ what, name, change, keys, meaning = '' }: TopologyChange): string[] {
  return [signs[change], what, name, keys.join(', '), meaning];
}
