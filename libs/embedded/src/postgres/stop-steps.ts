import type { StopStep } from '../process/stop-process.js';

/**
 * PostgreSQL's shutdown modes (documentation 18, section 18.5): fast (sessions are ended, data is
 * written), immediate (recovery at the next start), and at last the kernel's.
 */
export const postgresStopSteps: readonly StopStep[] = [
  ['SIGINT', 20_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 5_000],
];
