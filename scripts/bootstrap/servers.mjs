import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { lastLines, runLogged } from './run.mjs';

/** The real servers that tests want, all of them Debian packages named as their program. */
export const WANTED_SERVERS = ['docker-registry', 'skopeo', 'redis-server'];

/**
 * Installs the missing ones as root on Debian and its like; elsewhere the tests use what there is.
 * A failure is told and nothing more: the tests that miss a server say so at the end.
 *
 * @param {import('./progress.mjs').Progress} progress
 */
export async function ensureServers(progress) {
  const missing = WANTED_SERVERS.filter((program) => !isOnPath(program));
  if (missing.length === 0 || !canUseApt()) return;
  const label = `installing ${missing.join(', ')} with apt (WAYBILL_TEST_APT=0 leaves the system alone)`;
  const failed = await progress.step(label, () => aptInstall(missing));
  if (failed !== undefined) {
    progress.note(
      `${lastLines(failed.output, 5)}\nThey could not be installed; the tests that need them are left out. All of apt's output: ${failed.logFile}`,
    );
  }
}

/**
 * @param {string} program
 * @param {string} [searchPath]
 * @returns {boolean}
 */
export function isOnPath(program, searchPath = process.env.PATH ?? '') {
  return searchPath.split(path.delimiter).some((folder) => isExecutable(path.join(folder, program)));
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function canUseApt() {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && isOnPath('apt-get') && process.env.WAYBILL_TEST_APT !== '0';
}

/**
 * @param {readonly string[]} packages
 * @returns {Promise<import('./run.mjs').Finished | undefined>} the failure, if it failed
 */
async function aptInstall(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Waits for another apt (unattended upgrades) instead of failing on its lock.
  const apt = /** @type {const} */ (['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=120']);
  const install = /** @type {const} */ ([...apt, 'install', '--yes', '--no-install-recommends', ...packages]);
  const first = await runLogged(install, { log: 'apt.log', env });
  if (first.status === 0) return undefined;
  // Package lists that are absent or old are the usual reason.
  await runLogged([...apt, 'update'], { log: 'apt.log', env, append: true });
  const second = await runLogged(install, { log: 'apt.log', env, append: true });
  return second.status === 0 ? undefined : second;
}
