// Run by CI after the tests: fails when less was tested than the table in .ci/minimums.json demands.
import { readFileSync } from 'node:fs';
import { at, root, testResultsFile } from './bootstrap/paths.mjs';
import { countTests } from './bootstrap/test-results.mjs';
import { checkMinimums } from './ci/minimums.mjs';

/** @param {string} file */
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

const results = readJson(testResultsFile);
const { counts, problems } = checkMinimums(results, readJson(at('.ci/minimums.json')), root);

for (const [suite, count] of counts) console.log(`${String(count).padStart(6)}  ${suite}`);
for (const problem of problems) console.error(problem);

const { passed, failed } = countTests(results);
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || problems.length > 0) process.exitCode = 1;
