import { WaybillError } from '@waybill/kernel';

/** Something in a layer. Paths are relative to the image's root, with `/` between names. */
export type LayerEntry =
  | {
      readonly kind: 'file';
      readonly path: string;
      /** Absolute path of the file whose content it gets. */
      readonly source: string;
      /** Default: whether the source is executable for its owner. */
      readonly executable?: boolean;
    }
  | { readonly kind: 'text'; readonly path: string; readonly text: string; readonly executable?: boolean }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'directory';
      readonly path: string;
      /** Permission bits, default 0o755. */
      readonly mode?: number;
    };

export type LayerErrorCode =
  | 'path-invalid' // a path that leads out of the image or is not in its plainest form
  | 'path-taken' // two entries for one path, or an entry beneath one that is no directory
  | 'source-unusable'; // a source that is missing, no file, or changed while it was read

/** Raised while a layer is written. */
export class LayerError extends WaybillError<LayerErrorCode> {}

/**
 * The entries in the one order that a layer has them in, with the directories above them
 * that nobody named. A directory named twice with the same mode counts once.
 * @throws LayerError `path-invalid`, `path-taken`
 */
export async function arrangeEntries(entries: Iterable<LayerEntry> | AsyncIterable<LayerEntry>): Promise<readonly LayerEntry[]> {
  const byPath = new Map<string, LayerEntry>();
  for await (const entry of entries) {
    refuseOddPath(entry.path);
    const before = byPath.get(entry.path);
    if (before !== undefined && !isSameDirectory(before, entry)) throw taken(`there are two entries for ${entry.path}`);
    byPath.set(entry.path, entry);
  }
  for (const path of [...byPath.keys()]) addParents(path, byPath);
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function addParents(path: string, byPath: Map<string, LayerEntry>): void {
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    const parent = path.slice(0, slash);
    const entry = byPath.get(parent);
    if (entry === undefined) byPath.set(parent, { kind: 'directory', path: parent });
    else if (entry.kind !== 'directory') throw taken(`${path} lies beneath ${parent}, which is a ${entry.kind}`);
  }
}

function isSameDirectory(one: LayerEntry, other: LayerEntry): boolean {
  return one.kind === 'directory' && other.kind === 'directory' && one.mode === other.mode;
}

/** A layer is unpacked by others, as root: nothing in it may lead out of the image. */
function refuseOddPath(path: string): void {
  const names = path.split('/');
  if (!path.includes('\0') && names.every((name) => name !== '' && name !== '.' && name !== '..')) return;
  throw new LayerError(`"${path}" is not a plain relative path`, { code: 'path-invalid', operation: 'write layer' });
}

function taken(message: string): LayerError {
  return new LayerError(message, { code: 'path-taken', operation: 'write layer' });
}
