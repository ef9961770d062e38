import { type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Header, Pack } from 'tar-stream';
import { LayerError, type LayerEntry } from './layer-entry.js';

type FileEntry = Extract<LayerEntry, { readonly kind: 'file' }>;
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

async function appendFile(pack: Pack, entry: FileEntry, header: HeaderPlan): Promise<void> {
  const file = await reading(entry, open(entry.source));
  try {
    const stats = await reading(entry, file.stat());
    if (!stats.isFile()) throw unusable(entry, 'it is no file');
    const whole = { ...header, mode: modeOf(entry.executable ?? isExecutable(stats)), size: stats.size };
    if (stats.size <= readAtOnceBytes) await put(pack, whole, await wholeOf(file, entry, stats.size));
    else await pipeline(chunksOf(file, entry, stats.size), pack.entry(whole));
  } finally {
    await file.close();
  }
}

async function wholeOf(file: FileHandle, entry: FileEntry, size: number): Promise<Buffer> {
  const content = await reading(entry, file.readFile());
  if (content.byteLength !== size) throw unusable(entry, 'it changed while it was read');
  return content;
}

/**
 * Exactly `size` bytes, because the header that says so is written before them. What goes wrong here is
 * the source's fault and a LayerError; any other error of a layer is that of the place it is written to.
 */
async function* chunksOf(file: FileHandle, entry: FileEntry, size: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  const stream = file.createReadStream({ autoClose: false, highWaterMark: readAtOnceBytes });
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      yield chunk;
    }
  } catch (cause) {
    throw unusable(entry, (cause as Error).message, cause);
  }
  if (bytes !== size) throw unusable(entry, 'it changed while it was read');
}
async function reading<T>(entry: FileEntry, work: Promise<T>): Promise<T> {
  return await work.catch((cause: unknown) => {
    throw unusable(entry, (cause as Error).message, cause);
  });
}

function unusable(entry: FileEntry, why: string, cause?: unknown): LayerError {
  return new LayerError(`${entry.source} cannot be packed: ${why}`, { code: 'source-unusable', operation: 'write layer', cause });
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
