import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** What Distribution keeps of the repositories below one folder. */
export interface Held {
  /** Manifests, blobs, tags and everything that a tag ever named, one line each, sorted. */
  readonly lines: readonly string[];
  /** Upload sessions that are open, by `repository/id`. */
  readonly uploads: readonly string[];
}

/**
 * Reads what a Distribution registry holds below `folder` of its repositories, from its files: there is no request
 * that lists blobs, uploads or what a tag named before. Every blob is hashed.
 */
export async function heldBelow(dataDir: string, folder: string): Promise<Held> {
  const root = rootOf(dataDir);
  const files = await repositoryFiles(dataDir, folder);
  const lines = new Set<string>();
  const uploads = new Set<string>();
  for (const file of files) {
    const upload = /^(.+)\/_uploads\/([^/]+)\/(.+)$/.exec(file);
    if (upload === null) lines.add(await lineOf(root, folder, file));
    // Distribution 2.8 leaves the state of a hash behind of a session that it was told to end.
    else if (upload[3] === 'startedat') uploads.add(`${upload[1]}/${upload[2]}`);
  }
  return { lines: [...lines].sort(), uploads: [...uploads].sort() };
}

/** The files below `folder` of the repositories, by their names alone: while a registry is written to, not all of them are whole. */
export function repositoryFiles(dataDir: string, folder: string): Promise<string[]> {
  return filesBelow(join(rootOf(dataDir), 'repositories', folder));
}

function rootOf(dataDir: string): string {
  return join(dataDir, 'docker/registry/v2');
}

async function lineOf(root: string, folder: string, file: string): Promise<string> {
  const names = await readFile(join(root, 'repositories', folder, file), 'utf8');
  const hex = names.slice('sha256:'.length);
  const whole = (await hashOf(join(root, 'blobs/sha256', hex.slice(0, 2), hex, 'data'))) === hex ? 'whole' : 'BROKEN';
  return `${file.replace(/\/link$/, '')} = ${names} ${whole}`;
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));
}
