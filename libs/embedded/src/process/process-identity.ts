import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { spawnEnvironment } from './spawn-environment.js';
import { systemCodeOf } from './system-error.js';

/**
 * A process id alone proves nothing: ids are used again. The time a process started is
 * its second half, and on Linux the boot id the third, since that time counts from boot.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startToken: string;
}

/** The start token of a living process; `undefined` when there is none (a zombie counts as none). */
export function startTokenOf(pid: number): string | undefined {
  if (!isAlive(pid)) return undefined;
  return process.platform === 'linux' ? startTokenFromProc(pid) : startTokenFromPs(pid);
}

/** The calling process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startToken: startTokenOf(process.pid) ?? '' };
}

/** Whether exactly the process that was written down is still alive. */
export function isStillRunning(identity: ProcessIdentity): boolean {
  return identity.startToken !== '' && startTokenOf(identity.pid) === identity.startToken;
}

/** The arguments of a living process, the program first; empty when it cannot be told. */
export function commandLineOf(pid: number): readonly string[] {
  if (process.platform !== 'linux') return ps(pid, 'command=').split(' ').filter(Boolean);
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return systemCodeOf(error) === 'EPERM';
  }
}

function startTokenFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc(5): the program's name stands in brackets and may hold anything, so fields count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTime] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X' || startTime === undefined) return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${startTime}`;
  } catch {
    return undefined;
  }
}

function startTokenFromPs(pid: number): string | undefined {
  const [state = '', ...started] = ps(pid, 'stat=,lstart=').split(/\s+/);
  if (state === '' || state.startsWith('Z')) return undefined;
  return started.join(' ');
}

function ps(pid: number, columns: string): string {
  const { error, stdout } = spawnSync('ps', ['-ww', '-o', columns, '-p', String(pid)], { encoding: 'utf8', env: spawnEnvironment() });
  return error === undefined ? stdout.trim() : '';
}
