import { chmod, readFile } from 'node:fs/promises';
import { EmbeddedError } from '../embedded-error.js';
import { type ProgramCall, type ProgramResult, runProgram } from '../process/run-program.js';
import type { PostgresBinaries } from './binaries.js';
import { relocate } from './relocate.js';
import type { RunHow, ServerFolder } from './server-folder.js';

/** A proven way to run PostgreSQL's programs, and the folder in which its cluster stands. */
export interface RunIdentity {
  readonly how: RunHow;
  readonly binaries: PostgresBinaries;
  /** The parent folder of the cluster. */
  readonly home: string;
  /** The owner that the cluster's files must have. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /** What `postgres --version` said, e.g. `18.4`. */
  readonly version: string;
  call(command: string, args: readonly string[]): ProgramCall;
}

export interface ChooseIdentityOptions {
  readonly folder: ServerFolder;
  readonly binaries: PostgresBinaries;
  /** Where an earlier start put the cluster. */
  readonly relocatedTo?: string | undefined;
  /** Takes this way or fails; for tests. */
  readonly force?: RunHow | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Candidate = Omit<RunIdentity, 'version'>;

/**
 * Finds the first way that works, by trying it: as the calling user, or for root as `nobody`, else
 * inside a user namespace, else as `nobody` with everything moved below /var/lib.
 * Codes: `no-unprivileged-identity`, `binaries-missing`.
 */
export async function chooseRunIdentity(options: ChooseIdentityOptions): Promise<RunIdentity> {
  const refusals: string[] = [];
  for (const how of waysToTry(options)) {
    const candidate = await prepare(how, options);
    if (typeof candidate === 'string') {
      refusals.push(`${how}: ${candidate}`);
      continue;
    }
    const probe = await probeIdentity(candidate, options.signal);
    const version = /\(PostgreSQL\) (\S+)/.exec(probe.stdout)?.[1];
    if (version !== undefined) return { ...candidate, version };
    refusals.push(`${how}: ${probe.stderr.trim()}`);
  }
  throw refused(refusals);
}

function waysToTry({ force, relocatedTo }: ChooseIdentityOptions): readonly RunHow[] {
  if (force !== undefined) return [force];
  if (process.getuid?.() !== 0) return ['direct'];
  return relocatedTo === undefined ? ['nobody', 'user-namespace', 'relocated'] : ['relocated'];
}

/** Gives the way, or in words why it cannot be one here. */
async function prepare(how: RunHow, options: ChooseIdentityOptions): Promise<Candidate | string> {
  const { binaries, folder } = options;
  const home = folder.root;
  if (how === 'direct') {
    const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    return { how, binaries, home, owner, call: (command, args) => ({ command, args }) };
  }
  const nobody = await findNobody();
  if (nobody === undefined) return 'this machine has no user nobody';
  const asNobody = (command: string, args: readonly string[]): ProgramCall => ({ command, args, ...nobody });
  switch (how) {
    case 'nobody':
      await chmod(home, 0o711);
      return { how, binaries, home, owner: nobody, call: asNobody };
    case 'user-namespace':
      // Outside the namespace the process is root without root's powers: it may read what root owns, which is all that it needs.
      return { how, binaries, home, owner: { uid: 0, gid: 0 }, call: inUserNamespace(nobody) };
    case 'relocated':
      return { how, ...(await relocate(options)), owner: nobody, call: asNobody };
  }
}

/** initdb looks its user up by number, so the namespace borrows one that stands in the user list. */
function inUserNamespace(inside: { readonly uid: number; readonly gid: number }): RunIdentity['call'] {
  const mapping = ['--user', `--map-user=${inside.uid}`, `--map-group=${inside.gid}`];
  return (command, args) => ({ command: 'unshare', args: [...mapping, '--', command, ...args] });
}

/** Enters the home folder and starts the binary as the chosen user: traversal, libraries and loader are proved at once. */
function probeIdentity(candidate: Candidate, signal?: AbortSignal): Promise<ProgramResult> {
  const script = 'cd "$1" && exec "$2" --version';
  return runProgram(candidate.call('/bin/sh', ['-c', script, 'probe', candidate.home, candidate.binaries.postgres]), signal);
}

/** The user `nobody` of the system's list; its number differs between systems. */
async function findNobody(): Promise<{ uid: number; gid: number } | undefined> {
  const users = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const [, , uid, gid] =
    users
      .split('\n')
      .find((line) => line.startsWith('nobody:'))
      ?.split(':') ?? [];
  if (uid === undefined || gid === undefined) return undefined;
  // macOS writes -2 where the kernel says 2^32 - 2.
  return { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
}

function refused(refusals: readonly string[]): EmbeddedError {
  const operation = 'choose the user of PostgreSQL';
  const tried = refusals.join('; ');
  if (refusals.length === 1 && process.getuid?.() !== 0) {
    const message = `PostgreSQL's programs do not run here (${tried}): run npm install again, or set DATABASE_URL`;
    return new EmbeddedError(message, { code: 'binaries-missing', operation });
  }
  const message = `PostgreSQL refuses to run as root, and no other way works (${tried}): run waybill as an ordinary user, or set DATABASE_URL`;
  return new EmbeddedError(message, { code: 'no-unprivileged-identity', operation });
}
