import { join } from 'node:path';
import { ensureCompiled } from '../../scripts/bootstrap/compile.mjs';
import { withLock } from '../../scripts/bootstrap/lock.mjs';
import { root, stateDir } from '../../scripts/bootstrap/paths.mjs';

const quiet = { note: () => undefined, step: <T>(_label: string, work: () => Promise<T>): Promise<T> => work() };

/**
 * Compiles what is not compiled as its sources are, under the lock of the set-up: spec files run beside each other.
 * After `npm test` there is nothing to do. Rejects with the compiler's words.
 */
export async function ensureAppsCompiled(): Promise<void> {
  await withLock(join(stateDir, 'bootstrap.lock'), () => ensureCompiled(quiet));
}

/** What Node runs as the process of an app. */
export function mainOf(app: 'api' | 'worker'): string {
  return join(root, 'apps', app, 'dist', 'main.js');
}
