import { isStillRunning, type ProcessIdentity } from './process-identity.js';
import { waitFor } from './wait.js';
import { systemCodeOf } from './system-error.js';

/** A signal and how many milliseconds the process has to obey it. */
export type StopStep = readonly [signal: NodeJS.Signals, waitMs: number];

/**
 * Sends one signal after the other until the process is gone. Only ever signals the very
 * process that was written down, never one that got its id later.
 * Gives the signal that did it, `undefined` when it was gone before, or throws nothing:
 * a process that outlives SIGKILL (stuck in the kernel) is reported as `'still-running'`.
 */
export async function stopProcess(
  identity: ProcessIdentity,
  steps: readonly StopStep[],
): Promise<NodeJS.Signals | 'still-running' | undefined> {
  if (!isStillRunning(identity)) return undefined;
  for (const [signal, waitMs] of steps) {
    send(identity, signal);
    const gone = await waitFor(() => (isStillRunning(identity) ? undefined : true), { timeoutMs: waitMs });
    if (gone) return signal;
  }
  return 'still-running';
}

function send(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    // It went away between the look and the signal.
    if (systemCodeOf(error) !== 'ESRCH') throw error;
  }
}
