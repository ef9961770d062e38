import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ActiveTopology } from '@waybill/contracts/http';
import { parseTopology, type Topology } from '@waybill/topology';
import { ApiProblem } from '../api-client/api-problem.js';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { TopologyFile } from '../topology/read-topology-file.js';

/** The topology that holds once a start has said its own. */
export interface DeclaredTopology {
  readonly revision: number;
  readonly topology: Topology;
  /** What a person is told of it. */
  readonly line: string;
}

/** Holds the SHA-256 of the file that a start applied last. */
const fileName = 'topology.applied';

/**
 * Applies the file of a start, unless it is the one that a start applied before: what was applied since then was wanted,
 * and stays. Where no start has applied one, what somebody else has applied stays too.
 */
export async function declareTopology(
  admin: Pick<WaybillApi, 'topology' | 'applyTopology'>,
  file: TopologyFile,
  dataDir: string,
): Promise<DeclaredTopology> {
  const hash = createHash('sha256').update(file.source).digest('hex');
  const applied = await appliedBefore(dataDir);
  const active = await activeTopology(admin);
  const isNew = active === undefined || active.source === file.source || (applied !== undefined && applied !== hash);
  if (!isNew) return kept(active, file, applied);
  const { revision, changed } = await admin.applyTopology(file.source, basename(file.file));
  await writeFile(join(dataDir, fileName), `${hash}\n`);
  const line = `Topology revision ${revision.number}${changed ? ' applied' : ', unchanged'}`;
  return { revision: revision.number, topology: file.topology, line };
}

function kept({ revision, source }: ActiveTopology, { file, topology }: TopologyFile, applied: string | undefined): DeclaredTopology {
  const why = applied === undefined ? `${file} was never applied by a start` : `${file} has not changed since a start applied it`;
  return {
    revision: revision.number,
    topology: parseTopology(source, { file: `revision ${revision.number}` }).topology ?? topology,
    line: `Topology revision ${revision.number} is kept, since ${why}; to make it the active one: waybill topology apply ${file}`,
  };
}

async function activeTopology(admin: Pick<WaybillApi, 'topology'>): Promise<ActiveTopology | undefined> {
  try {
    return await admin.topology();
  } catch (error) {
    if (error instanceof ApiProblem && error.code === 'no-topology') return undefined;
    throw error;
  }
}

async function appliedBefore(dataDir: string): Promise<string | undefined> {
  return readFile(join(dataDir, fileName), 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
}
