import path from 'node:path';

/**
 * @typedef {import('../bootstrap/test-results.mjs').JestResults} JestResults
 * @typedef {{ counts: Map<string, number>, problems: string[] }} Verdict `counts`: suite → tests that passed
 */

/**
 * Holds a run against the least number of tests that each suite must have passed. A suite is a workspace
 * (`libs/kernel`) or a folder at the root (`test`). A run in which something was left out is no proof, nor is one of a
 * suite that the table does not know.
 *
 * @param {JestResults} results
 * @param {Readonly<Record<string, number>>} minimums suite → tests
 * @param {string} root
 * @returns {Verdict}
 */
export function checkMinimums(results, minimums, root) {
  const counts = countPassed(results, root);
  const problems = [
    ...Object.entries(minimums)
      .filter(([suite, minimum]) => (counts.get(suite) ?? 0) < minimum)
      .map(([suite, minimum]) => `${suite}: ${counts.get(suite) ?? 0} tests passed, at least ${minimum} are expected`),
    ...[...counts.keys()].filter((suite) => !(suite in minimums)).map((suite) => `${suite}: not in the table of minimums`),
    ...notRun(results, root),
  ];
  return { counts, problems };
}

/** @param {JestResults} results @param {string} root */
function countPassed(results, root) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const file of results.testResults) {
    const suite = suiteOf(path.relative(root, file.name));
    const passed = file.assertionResults.filter(({ status }) => status === 'passed').length;
    counts.set(suite, (counts.get(suite) ?? 0) + passed);
  }
  return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** @param {JestResults} results @param {string} root */
function notRun(results, root) {
  return results.testResults.flatMap((file) =>
    file.assertionResults
      .filter(({ status }) => status !== 'passed' && status !== 'failed')
      .map(({ fullName, status }) => `${path.relative(root, file.name)}: ${status}: ${fullName}`),
  );
}

/** @param {string} file relative to the repository */
function suiteOf(file) {
  const [first = '', second = ''] = file.split(path.sep);
  return first === 'libs' || first === 'apps' ? `${first}/${second}` : first;
}
