import path from 'node:path';

/**
 * The parts of Jest's `--json` output that are read here.
 *
 * @typedef {{ title: string, fullName: string, status: string }} Assertion
 * @typedef {{ name: string, status: string, assertionResults: readonly Assertion[] }} TestFile
 * @typedef {{ numPassedTests: number, numFailedTests: number, numRuntimeErrorTestSuites: number, testResults: readonly TestFile[] }} JestResults
 */

const LEFT_OUT = new Set(['pending', 'todo', 'disabled', 'skipped']);

/**
 * How many passed and failed. A file that broke before its first test counts as one failure.
 *
 * @param {JestResults} results
 * @returns {{ passed: number, failed: number }}
 */
export function countTests(results) {
  return { passed: results.numPassedTests, failed: results.numFailedTests + results.numRuntimeErrorTestSuites };
}

/**
 * The tests that were left out, by reason, in the order of the files.
 *
 * @param {JestResults} results
 * @param {string} root
 * @returns {Map<string, string[]>} reason (`needs docker-registry`, or `skipped`) → `file: full name`
 */
export function leftOut(results, root) {
  /** @type {Map<string, string[]>} */
  const byReason = new Map();
  for (const file of [...results.testResults].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    for (const test of file.assertionResults.filter(({ status }) => LEFT_OUT.has(status))) {
      const reason = reasonOf(test);
      byReason.set(reason, [...(byReason.get(reason) ?? []), `${path.relative(root, file.name)}: ${test.fullName}`]);
    }
  }
  return byReason;
}

/** @param {Assertion} test */
function reasonOf({ title }) {
  return title.startsWith('needs ') ? title : 'skipped';
}

/**
 * What the run could not test, as lines for the reader; empty when nothing was left out.
 *
 * @param {Map<string, string[]>} byReason
 * @returns {string[]}
 */
export function describeLeftOut(byReason) {
  if (byReason.size === 0) return [];
  const lines = ['Not tested here:'];
  for (const [reason, tests] of byReason) {
    lines.push(`  ${reason}`, ...tests.map((test) => `    ${test}`));
  }
  return lines;
}
