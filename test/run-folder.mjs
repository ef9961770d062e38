import { readdir, readFile, rm } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * One folder per Jest run, in the temporary folder. The first spec that asks for a database starts
 * PostgreSQL in it (libs/testing, `createTestDatabase`), so that a run without one costs nothing;
 * whoever started it, the run's end stops it. Plain Node on purpose: Jest loads these files without
 * the transform and the module map of the specs, and nothing has to be built for them.
 */
export const runFolderPrefix = 'waybill-test-run-';

const stopTimeoutMs = 10_000;

/**
 * Stops the PostgreSQL of a run and removes the run's folder.
 * @param {string} folder
 */
export async function discardRunFolder(folder) {
  const server = join(folder, 'postgres');
  const state = await readJson(join(server, 'state.json'));
  const homes = [server, ...(typeof state?.relocatedTo === 'string' ? [state.relocatedTo] : [])];
  for (const home of homes) await stopServerOf(join(home, 'data'));
  for (const home of [...homes, folder]) await rm(home, { recursive: true, force: true, maxRetries: 5 });
}

/** Discards what runs that were killed left behind. */
export async function discardAbandonedRuns() {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(runFolderPrefix)) continue;
    const folder = join(tmpdir(), name);
    const owner = await readJson(join(folder, 'owner.json'));
    if (typeof owner?.pid === 'number' && !isAlive(owner.pid)) await discardRunFolder(folder);
  }
}

/** @param {string} cluster */
async function stopServerOf(cluster) {
  const lockFile = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number.parseInt(lockFile, 10);
  if (!(await isServerOf(pid, cluster))) return;
  // Immediate shutdown (PostgreSQL 18, section 18.5): nothing of a test run is worth a checkpoint.
  process.kill(pid, 'SIGQUIT');
  const deadline = performance.now() + stopTimeoutMs;
  while (await isServerOf(pid, cluster)) {
    if (performance.now() > deadline) throw new Error(`the PostgreSQL of the tests (process ${pid}) does not end`);
    await delay(10);
  }
}

/**
 * A process id may have gone to another program since, so its arguments must name the cluster.
 * @param {number} pid
 * @param {string} cluster
 */
async function isServerOf(pid, cluster) {
  return Number.isInteger(pid) && isAlive(pid) && (await argumentsOf(pid)).includes(cluster);
}

/** @param {number} pid */
async function argumentsOf(pid) {
  if (process.platform === 'linux') return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return spawnSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * @param {string} path
 * @returns {Promise<Record<string, unknown> | undefined>}
 */
async function readJson(path) {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text);
}
