import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { WaybillError } from '@waybill/kernel';
import { type Diagnostic, formatDiagnostic, parseTopology, type Topology } from '@waybill/topology';
import { systemCodeOf } from '../system-error.js';

/** A topology file that cannot be used; the message holds every diagnostic. */
export class TopologyFileError extends WaybillError<'file-unreadable' | 'topology-invalid'> {
  readonly diagnostics: readonly Diagnostic[];

  constructor(
    message: string,
    facts: { readonly code: 'file-unreadable' | 'topology-invalid'; readonly cause?: unknown },
    diagnostics: readonly Diagnostic[] = [],
  ) {
    super(message, { operation: 'read topology', ...facts });
    this.diagnostics = diagnostics;
  }
}

export interface TopologyFile {
  readonly file: string;
  readonly source: string;
  readonly topology: Topology;
  readonly warnings: readonly Diagnostic[];
}

/** @throws TopologyFileError */
export async function readTopologyFile(file: string): Promise<TopologyFile> {
  const source = await readText(file);
  const { topology, diagnostics } = parseTopology(source, { file });
  if (topology !== undefined) return { file, source, topology, warnings: diagnostics };
  const lines = diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, source));
  const count = diagnostics.filter(({ severity }) => severity === 'error').length;
  const message = `${file} is no topology that can be used\n${lines.join('\n')}\n${file}: ${count} ${count === 1 ? 'error' : 'errors'}; nothing was changed`;
  throw new TopologyFileError(message, { code: 'topology-invalid' }, diagnostics);
}

/** The file's warnings as lines for a person. */
export function warningLines({ warnings, source }: TopologyFile): string[] {
  return warnings.map((warning) => formatDiagnostic(warning, source));
}

async function readText(file: string): Promise<string> {
  try {
    const bytes = await readFile(file);
    if (isUtf8(bytes)) return bytes.toString('utf8');
    throw new TopologyFileError(`${file} is no text in UTF-8: is it another file that you meant?`, { code: 'file-unreadable' });
  } catch (cause) {
    if (cause instanceof TopologyFileError) throw cause;
    throw new TopologyFileError(whyUnreadable(file, systemCodeOf(cause)), { code: 'file-unreadable', cause });
  }
}

function whyUnreadable(file: string, code: string | undefined): string {
  switch (code) {
    case 'ENOENT':
      return `there is no file ${file}`;
    case 'EISDIR':
      return `${file} is a folder: name a file`;
    default:
      return `${file} cannot be read${code === undefined ? '' : ` (${code})`}`;
  }
}
