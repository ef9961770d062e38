import { describe, expect, it } from '@jest/globals';
import { countTests, describeLeftOut, leftOut } from './test-results.mjs';

const test = (title: string, status: string, parent = 'subject') => ({ title, status, fullName: `${parent} ${title}` });

const results = {
  numPassedTests: 3,
  numFailedTests: 1,
  numRuntimeErrorTestSuites: 1,
  testResults: [
    {
      name: '/r/libs/oci-registry/src/z.spec.ts',
      status: 'passed',
      assertionResults: [test('needs docker-registry', 'pending', 'Registry')],
    },
    {
      name: '/r/libs/oci-copy/src/a.spec.ts',
      status: 'failed',
      assertionResults: [
        test('works', 'passed'),
        test('breaks', 'failed'),
        test('needs docker-registry', 'pending', 'copyGraph'),
        test('is left out', 'pending'),
        test('comes later', 'todo'),
      ],
    },
  ],
};

describe('countTests', () => {
  it('counts a file that broke before its first test as a failure', () => {
    expect(countTests(results)).toEqual({ passed: 3, failed: 2 });
  });
});

describe('leftOut', () => {
  it('groups what did not run by the server it needs', () => {
    expect([...leftOut(results, '/r')]).toEqual([
      [
        'needs docker-registry',
        ['libs/oci-copy/src/a.spec.ts: copyGraph needs docker-registry', 'libs/oci-registry/src/z.spec.ts: Registry needs docker-registry'],
      ],
      ['skipped', ['libs/oci-copy/src/a.spec.ts: subject is left out', 'libs/oci-copy/src/a.spec.ts: subject comes later']],
    ]);
  });
});

describe('describeLeftOut', () => {
  it('says nothing when everything ran', () => {
    expect(describeLeftOut(new Map())).toEqual([]);
  });

  it('names reason and tests', () => {
    expect(describeLeftOut(new Map([['needs skopeo', ['a.spec.ts: pushes']]]))).toEqual([
      'Not tested here:',
      '  needs skopeo',
      '    a.spec.ts: pushes',
    ]);
  });
});
