import { spawnSync } from 'node:child_process';
import path from 'node:path';

const repository = path.resolve(import.meta.dirname, '../..');

/**
 * @typedef {object} Cruised
 * @property {readonly string[]} violations `rule: from → to`, sorted
 * @property {number} modules how many files of ours were read
 * @property {number} dependencies how many imports between files of ours were followed
 */

/**
 * Reads the import graph below a folder and holds it against the table in `.dependency-cruiser.cjs`.
 *
 * @param {string} root a folder laid out as this repository
 * @returns {Cruised}
 */
export function cruise(root) {
  const bin = path.join(repository, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const rules = path.join(repository, '.dependency-cruiser.cjs');
  const { stdout, stderr, error } = spawnSync(process.execPath, [bin, '--config', rules, '--output-type', 'json', 'libs', 'apps', 'test'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (error !== undefined || stdout === '') throw new Error(`dependency-cruiser did not run: ${stderr}`, { cause: error });
  return summarise(JSON.parse(stdout));
}

/**
 * @typedef {{ source: string, dependencies: readonly { resolved: string }[] }} Module
 * @param {{ modules: readonly Module[], summary: { violations: readonly { rule: { name: string }, from: string, to: string }[] } }} result
 * @returns {Cruised}
 */
function summarise({ modules, summary }) {
  const own = modules.filter(({ source }) => isOwn(source));
  return {
    violations: summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`).sort(),
    modules: own.length,
    dependencies: own.reduce((sum, { dependencies }) => sum + dependencies.filter(({ resolved }) => isOwn(resolved)).length, 0),
  };
}

/** @param {string} file */
const isOwn = (file) => /^(libs|apps|test)\//.test(file);
