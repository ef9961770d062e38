import { type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Header, Pack } from 'tar-stream';
import { LayerError, type LayerEntry } from './layer-entry.js';

type HeaderPlan = Partial<Header> & Pick<Header, 'name'>;

/** Files up to this size are read in one go; larger ones are streamed. */
const readAtOnceBytes = 1024 * 1024;

/** Appends one entry, with nothing in its header that a machine or a moment could change. */
export function appendEntry(pack: Pack, entry: LayerEntry, mtime: Date): Promise<void> {
  const owner = { uid: 0, gid: 0, mtime };
  switch (entry.kind) {
    case 'directory':
      return put(pack, { ...owner, type: 'directory', name: `${entry.path}/`, mode: entry.mode ?? 0o755 });
    case 'symlink':
      return put(pack, { ...owner, type: 'symlink', name: entry.path, linkname: entry.target, mode: 0o777 });
    case 'text':
      return put(pack, { ...owner, type: 'file', name: entry.path, mode: modeOf(entry.executable ?? false) }, Buffer.from(entry.text));
    case 'file':
      return appendFile(pack, entry, { ...owner, type: 'file', name: entry.path });
  }
}

async function appendFile(pack: Pack, entry: LayerEntry & { readonly kind: 'file' }, header: HeaderPlan): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(entry.source);
    const stats = await file.stat();
    if (!stats.isFile()) throw new Error('it is no file');
    const executable = entry.executable ?? isExecutable(stats);
    const whole = { ...header, mode: modeOf(executable), size: stats.size };
    if (stats.size <= readAtOnceBytes) await put(pack, whole, await readExactly(file, stats.size));
    else await pipeline(file.createReadStream({ autoClose: false }), pack.entry(whole));
  } catch (cause) {
    throw new LayerError(`${entry.source} cannot be packed: ${cause instanceof Error ? cause.message : String(cause)}`, {
      code: 'source-unusable',
      operation: 'write layer',
      cause,
    });
  } finally {
    await file?.close();
  }
}

async function readExactly(file: FileHandle, size: number): Promise<Buffer> {
  const content = await file.readFile();
  if (content.byteLength !== size) throw new Error('it changed while it was read');
  return content;
}

function put(pack: Pack, header: HeaderPlan, content?: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null): void => (error ? reject(error) : resolve());
    if (content === undefined) pack.entry(header, done);
    else pack.entry(header, content, done);
  });
}

function isExecutable(stats: Stats): boolean {
  return (stats.mode & 0o100) !== 0;
}

function modeOf(executable: boolean): number {
  return executable ? 0o755 : 0o644;
}
