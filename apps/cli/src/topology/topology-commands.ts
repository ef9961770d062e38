import Table from 'cli-table3';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { readTopologyFile } from './read-topology-file.js';

interface JsonOption {
  readonly json: boolean;
}

/** Checks a file here, without any server. */
export async function validateTopology(file: string, { json }: JsonOption, output: Output): Promise<number> {
  const { topology, warnings } = await readTopologyFile(file);
  for (const warning of warnings) output.error(warning);
  const facts = { name: topology.name, registries: Object.keys(topology.registries).length, paths: Object.keys(topology.paths).length };
  if (json) output.json({ valid: true, ...facts, warnings });
  else output.line(`${file} is valid: ${facts.registries} registries, ${facts.paths} paths`);
  return exitStatus.succeeded;
}

/** Makes a file the active revision. */
export async function applyTopology(api: WaybillApi, file: string, { json }: JsonOption, output: Output): Promise<number> {
  const { source, warnings } = await readTopologyFile(file);
  for (const warning of warnings) output.error(warning);
  const applied = await api.applyTopology(source, file);
  if (json) output.json(applied);
  else output.line(`revision ${applied.revision.number} is active${applied.changed ? '' : ': it said the same already'}`);
  return exitStatus.succeeded;
}

/** The active revision, as tables. */
export async function showTopology(api: WaybillApi, { json }: JsonOption, output: Output): Promise<number> {
  const active = await api.topology();
  if (json) {
    output.json(active);
    return exitStatus.succeeded;
  }
  const { revision, registries, paths, replications } = active;
  output.line(`${revision.name}, revision ${revision.number}, applied ${revision.appliedAt}`);
  output.line(
    table(
      ['registry', 'role', 'location', 'address'],
      registries.map(({ name, role, location, url, of }) => [
        name,
        of === undefined ? role : `${role} of ${of}`,
        location ?? '',
        url ?? 'not running',
      ]),
    ),
  );
  output.line(
    table(
      ['path', 'from', 'to'],
      [
        ...paths.map(({ name, from, to }) => [name, from, to.join(', ')]),
        ...replications.map(({ from, to }) => ['(replication)', from, to.join(', ')]),
      ],
    ),
  );
  return exitStatus.succeeded;
}

function table(head: string[], rows: string[][]): string {
  const drawn = new Table({ head, style: { head: [], border: [] } });
  drawn.push(...rows);
  return drawn.toString();
}
