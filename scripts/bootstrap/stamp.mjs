import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Does the work unless the stamp says that it was done for this very value.
 * The stamp is removed before the work begins and written after it succeeded, so a failed or interrupted
 * run never counts as done.
 *
 * @param {string} file
 * @param {{ expected: string, isIntact?: () => boolean, work: () => Promise<void>, after?: () => string }} options
 *   `isIntact` looks whether the results are still there; `after` gives the value to write when the work itself may change it
 * @returns {Promise<boolean>} whether the work was done now
 */
export async function unlessStamped(file, options) {
  const { expected, isIntact = () => true, work, after = () => expected } = options;
  if (readStamp(file) === expected && isIntact()) return false;
  rmSync(file, { force: true });
  await work();
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, after());
  return true;
}

/**
 * @param {string} file
 * @returns {string | undefined}
 */
export function readStamp(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
