import { createHash, randomBytes } from 'node:crypto';
import { access, chmod, cp, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fromSystemError } from '../embedded-error.js';
import { binariesIn, type PostgresBinaries } from './binaries.js';
import { rememberServerState, type ServerFolder } from './server-folder.js';

export interface RelocateOptions {
  readonly folder: ServerFolder;
  readonly binaries: PostgresBinaries;
  readonly relocatedTo?: string | undefined;
}

export interface Relocated {
  readonly home: string;
  readonly binaries: PostgresBinaries;
}

const systemFolder = '/var/lib/waybill';
const programsPrefix = 'postgres-';

/**
 * Moves the cluster and a copy of the programs to a folder that an unprivileged user can enter.
 * The name is random and remembered beside the passwords: whoever deletes the data folder
 * begins anew and never meets an old cluster whose passwords are gone.
 */
export async function relocate(options: RelocateOptions): Promise<Relocated> {
  const { folder } = options;
  const home = options.relocatedTo ?? join(systemFolder, randomBytes(6).toString('hex'));
  try {
    await mkdir(home, { recursive: true, mode: 0o711 });
    const binaries = await copyPrograms(options.binaries, home);
    await moveCluster(folder.root, home);
    if (options.relocatedTo === undefined) await rememberServerState(folder, { relocatedTo: home });
    return { home, binaries };
  } catch (cause) {
    throw fromSystemError(cause, { operation: 'move the database', path: home });
  }
}

/** One copy of the installed build, beside the cluster; it appears whole by a rename, and those of earlier builds go. */
async function copyPrograms(from: PostgresBinaries, home: string): Promise<PostgresBinaries> {
  const { size, mtimeMs } = await stat(from.postgres);
  const build = createHash('sha256').update(`${from.root}\n${size}\n${mtimeMs}`).digest('hex').slice(0, 12);
  const name = `${programsPrefix}${build}`;
  const draft = join(home, `${programsPrefix}draft`);
  if (!(await exists(join(home, name)))) {
    await rm(draft, { recursive: true, force: true });
    await cp(from.root, draft, { recursive: true, verbatimSymlinks: true });
    await chmod(draft, 0o755);
    await rename(draft, join(home, name));
  }
  const outdated = (await readdir(home)).filter((entry) => entry.startsWith(programsPrefix) && entry !== name);
  for (const entry of outdated) await rm(join(home, entry), { recursive: true, force: true });
  return binariesIn(join(home, name));
}

async function moveCluster(from: string, to: string): Promise<void> {
  const source = join(from, 'data');
  const target = join(to, 'data');
  if (!(await exists(source)) || (await exists(target))) return;
  const draft = join(to, `${basename(target)}.moving`);
  await rm(draft, { recursive: true, force: true });
  await cp(source, draft, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  await rename(draft, target);
  await rm(source, { recursive: true });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
