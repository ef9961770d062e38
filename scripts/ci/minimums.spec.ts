import { describe, expect, it } from '@jest/globals';
import { checkMinimums } from './minimums.mjs';

function run(files: Readonly<Record<string, readonly string[]>>) {
  const testResults = Object.entries(files).map(([file, statuses]) => ({
    name: `/r/${file}`,
    status: 'passed',
    assertionResults: statuses.map((status, index) => ({ title: `t${index}`, fullName: `subject t${index}`, status })),
  }));
  return { numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 0, testResults };
}

const check = (files: Readonly<Record<string, readonly string[]>>, minimums: Readonly<Record<string, number>>) =>
  checkMinimums(run(files), minimums, '/r');

describe('checkMinimums', () => {
  it('counts what passed by workspace and root folder', () => {
    const { counts, problems } = check(
      { 'test/a.spec.ts': ['passed'], 'libs/kernel/src/a.spec.ts': ['passed', 'passed'], 'libs/kernel/src/b.spec.ts': ['passed'] },
      { 'libs/kernel': 3, test: 1 },
    );

    expect([...counts]).toEqual([
      ['libs/kernel', 3],
      ['test', 1],
    ]);
    expect(problems).toEqual([]);
  });

  it.each([
    ['fewer passed', { 'test/a.spec.ts': ['passed', 'failed'] }, { test: 2 }, 'test: 1 tests passed, at least 2 are expected'],
    ['a suite did not run', {}, { 'libs/queue': 1 }, 'libs/queue: 0 tests passed, at least 1 are expected'],
    ['a suite is not in the table', { 'libs/new/src/a.spec.ts': ['passed'] }, {}, 'libs/new: not in the table of minimums'],
    ['a test was skipped', { 'test/a.spec.ts': ['passed', 'pending'] }, { test: 1 }, 'test/a.spec.ts: pending: subject t1'],
    ['a test is still to be written', { 'test/a.spec.ts': ['passed', 'todo'] }, { test: 1 }, 'test/a.spec.ts: todo: subject t1'],
  ])('finds a problem when %s', (_, files, minimums, problem) => {
    expect(check(files, minimums).problems).toEqual([problem]);
  });
});
