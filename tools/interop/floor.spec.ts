import { describe, expect, it } from '@jest/globals';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { belowFloor, FLOOR } from './floor.mjs';

const results = (statuses: Readonly<Record<string, readonly string[]>>) => ({
  numPassedTests: 0,
  numFailedTests: 0,
  numRuntimeErrorTestSuites: 0,
  testResults: Object.entries(statuses).map(([name, each]) => ({
    name: `/here/test/interop/${name}`,
    status: 'passed',
    assertionResults: each.map((status) => ({ title: 'a', fullName: 'a', status })),
  })),
});

describe('the floor of the interoperability suite', () => {
  it.each([
    ['enough', { 'a.spec.ts': ['passed', 'pending'] }, []],
    ['too few that passed', { 'a.spec.ts': ['failed', 'pending'] }, ['a.spec.ts: 0 tests passed, at least 1 are expected']],
    ['no such file at all', {}, ['a.spec.ts: 0 tests passed, at least 1 are expected']],
    [
      'a file that it does not know',
      { 'a.spec.ts': ['passed'], 'b.spec.ts': ['passed'] },
      ['b.spec.ts: not in the table of tools/interop/floor.mjs'],
    ],
  ])('sees %s', (_title, statuses, problems) => {
    expect(belowFloor(results(statuses), { 'a.spec.ts': 1 })).toEqual(problems);
  });

  it('knows every spec there is', () => {
    const specs = readdirSync(path.resolve(import.meta.dirname, '../../test/interop')).filter((file) => file.endsWith('.spec.ts'));

    expect(Object.keys(FLOOR)).toEqual(specs.toSorted());
  });
});
