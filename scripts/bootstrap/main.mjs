import path from 'node:path';
import { ensureCompiled } from './compile.mjs';
import { ensureGenerated } from './generate.mjs';
import { ensureInstalled } from './install.mjs';
import { withLock } from './lock.mjs';
import { stateDir } from './paths.mjs';
import { SetupProblem } from './problem.mjs';
import { createProgress } from './progress.mjs';
import { ensureServers } from './servers.mjs';
import { start } from './start.mjs';
import { test } from './test.mjs';

const USAGE = 'usage: node scripts/bootstrap.mjs start|test|build [-- arguments]';

/**
 * @param {readonly string[]} argv the verb and what is handed on to the command behind it
 */
export async function main([verb, ...rest]) {
  const args = rest[0] === '--' ? rest.slice(1) : rest;
  try {
    process.exitCode = await run(verb, args);
  } catch (error) {
    if (!(error instanceof SetupProblem)) throw error;
    console.error(`\n${error.message}`);
    process.exitCode = error.exitCode;
  }
}

/** @param {string | undefined} verb @param {readonly string[]} args @returns {Promise<number>} */
async function run(verb, args) {
  const progress = createProgress();
  switch (verb) {
    case 'start':
      await setUp(progress);
      return start(args);
    case 'test':
      await setUp(progress);
      await ensureServers(progress);
      return test(args);
    case 'build':
      await setUp(progress);
      return 0;
    default:
      throw new SetupProblem(USAGE, { exitCode: 2 });
  }
}

/**
 * Installs, generates and compiles what is not up to date. Two at once take turns.
 *
 * @param {import('./progress.mjs').Progress} progress
 */
async function setUp(progress) {
  const onWait = (/** @type {number | undefined} */ pid) =>
    progress.note(`waiting for another set-up of this checkout (process ${pid ?? 'unknown'})`);
  await asProblem(() =>
    withLock(
      path.join(stateDir, 'bootstrap.lock'),
      async () => {
        await ensureInstalled(progress);
        await ensureGenerated(progress);
        await ensureCompiled(progress);
      },
      { onWait },
    ),
  );
}

/** @param {() => Promise<void>} work */
async function asProblem(work) {
  try {
    await work();
  } catch (error) {
    const { code, path: file } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') throw error;
    throw new SetupProblem(`${file} cannot be written. Run as the owner of this checkout, or clone it into a folder of your own.`, {
      cause: error,
    });
  }
}
