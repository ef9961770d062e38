import { basename } from 'node:path';
import { ApiProblem } from '../api-client/api-problem.js';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { drawTable } from '../output/table.js';
import { readTopologyFile, TopologyFileError, warningLines } from './read-topology-file.js';

interface JsonOption {
  readonly json: boolean;
}

/** Checks a file here, without any server. */
export async function validateTopology(file: string, { json }: JsonOption, output: Output): Promise<number> {
  try {
    const valid = await readTopologyFile(file);
    for (const warning of warningLines(valid)) output.error(warning);
    const { name, registries, paths } = valid.topology;
    const facts = { name, registries: Object.keys(registries).length, paths: Object.keys(paths).length };
    if (json) output.json({ valid: true, ...facts, diagnostics: valid.warnings });
    else output.line(`${file} is valid: ${facts.registries} registries, ${facts.paths} paths`);
    return exitStatus.succeeded;
  } catch (error) {
    if (!json || !(error instanceof TopologyFileError) || error.code !== 'topology-invalid') throw error;
    output.error(error.message);
    output.json({ valid: false, diagnostics: error.diagnostics });
    return exitStatus.failed;
  }
}

/** Makes a file the active revision. */
export async function applyTopology(api: WaybillApi, file: string, { json }: JsonOption, output: Output): Promise<number> {
  const read = await readTopologyFile(file);
  for (const warning of warningLines(read)) output.error(warning);
  const applied = await api.applyTopology(read.source, basename(file));
  if (json) output.json(applied);
  else output.line(`revision ${applied.revision.number} is active${applied.changed ? '' : ': it said the same already'}`);
  const idle = await idleLocalRegistries(api);
  if (idle.length > 0) {
    output.error(
      `warning: nobody has said where these local registries listen: ${idle.join(', ')}\n  start waybill up with this file to run them; one that runs takes up those again that it has started`,
    );
  }
  return exitStatus.succeeded;
}

/** Local registries that nobody has started; the file is applied, even when that cannot be asked or the key may not read it. */
async function idleLocalRegistries(api: WaybillApi): Promise<string[]> {
  try {
    const { registries } = await api.topology();
    return registries.flatMap(({ name, local, url }) => (local && url === undefined ? [name] : []));
  } catch (error) {
    if (error instanceof ApiProblem) return [];
    throw error;
  }
}

/** The active revision, as tables. */
export async function showTopology(api: WaybillApi, { json }: JsonOption, output: Output): Promise<number> {
  const active = await api.topology();
  if (json) {
    output.json(active);
    return exitStatus.succeeded;
  }
  const { revision, registries, paths, replications } = active;
  const registryRows = registries.map(({ name, role, location, url, of }) => [
    name,
    of === undefined ? role : `${role} of ${of}`,
    location ?? '',
    url ?? 'not running',
  ]);
  const edges = [
    ...paths.map(({ name, from, to }) => [name, from, to.join(', ')]),
    ...replications.map(({ from, to }) => ['(replication)', from, to.join(', ')]),
  ];
  output.line(`${revision.name}, revision ${revision.number}, applied ${revision.appliedAt}`);
  output.line();
  output.line(drawTable(['registry', 'role', 'location', 'address'], registryRows));
  output.line();
  output.line(drawTable(['path', 'from', 'to'], edges));
  return exitStatus.succeeded;
}
