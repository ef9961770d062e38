import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import { at, root, stateDir, testResultsFile } from './paths.mjs';
import { ended } from './run.mjs';
import { countTests, describeLeftOut, leftOut } from './test-results.mjs';

/**
 * Runs Jest; then says what could not be tested, and counts.
 *
 * @param {readonly string[]} args for Jest
 * @param {{ resultsFile?: string, env?: Readonly<Record<string, string>> }} [options]
 * @returns {Promise<number>} Jest's exit status
 */
export async function test(args, { resultsFile = testResultsFile, env = {} } = {}) {
  mkdirSync(stateDir, { recursive: true });
  rmSync(resultsFile, { force: true });
  const status = await runJest([`--outputFile=${resultsFile}`, ...args], env);
  if (!existsSync(resultsFile)) return status;
  const results = JSON.parse(readFileSync(resultsFile, 'utf8'));
  const { passed, failed } = countTests(results);
  console.log(`\n${passed} passed, ${failed} failed`);
  for (const line of describeLeftOut(leftOut(results, root))) console.log(line);
  return status;
}

/** @param {readonly string[]} args @param {Readonly<Record<string, string>>} env */
function runJest(args, env) {
  const child = spawn(process.execPath, [at('node_modules/jest/bin/jest.js'), '--json', `--maxWorkers=${workers()}`, ...args], {
    cwd: root,
    stdio: ['inherit', 'ignore', 'inherit'],
    env: { ...process.env, ...env, NODE_OPTIONS: jestNodeOptions(process.env.NODE_OPTIONS) },
  });
  // Jest ends its own children; a second signal from here would only interrupt that.
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.once(signal, () => child.kill(signal));
  return ended(child);
}

/** Specs start servers of their own, so one worker per core and no more; two at least, for they wait a lot. */
const workers = () => Math.max(2, os.availableParallelism());

/**
 * ES modules in Jest stand behind a flag of Node, whose warning would precede every file.
 *
 * @param {string | undefined} inherited
 */
function jestNodeOptions(inherited) {
  return [inherited, '--experimental-vm-modules', '--disable-warning=ExperimentalWarning'].filter(Boolean).join(' ');
}
