import { systemCodeOf } from './system-error.js';

/** Kills what is left of the process group that a detached child was the leader of. */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (systemCodeOf(error) !== 'ESRCH') throw error;
  }
}
