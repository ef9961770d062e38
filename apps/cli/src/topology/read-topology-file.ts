import { readFile } from 'node:fs/promises';
import { WaybillError } from '@waybill/kernel';
import { formatDiagnostic, parseTopology, type Topology } from '@waybill/topology';

/** A topology file that cannot be used; the message holds every diagnostic. */
export class TopologyFileError extends WaybillError<'file-unreadable' | 'topology-invalid'> {}

export interface TopologyFile {
  readonly file: string;
  readonly source: string;
  readonly topology: Topology;
  /** Formatted, one each. */
  readonly warnings: readonly string[];
}

/** @throws TopologyFileError */
export async function readTopologyFile(file: string): Promise<TopologyFile> {
  const source = await readText(file);
  const { topology, diagnostics } = parseTopology(source, { file });
  const lines = diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, source));
  if (topology !== undefined) return { file, source, topology, warnings: lines };
  const count = diagnostics.filter(({ severity }) => severity === 'error').length;
  throw new TopologyFileError(`${lines.join('\n')}\n${file}: ${count} ${count === 1 ? 'error' : 'errors'}; nothing was changed`, {
    code: 'topology-invalid',
    operation: 'read topology',
  });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new TopologyFileError(missing ? `there is no file ${file}` : `${file} cannot be read`, {
      code: 'file-unreadable',
      operation: 'read topology',
      cause,
    });
  }
}
