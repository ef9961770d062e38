import { describe, expect, it } from '@jest/globals';
import { judge, type TestCase, testCasesIn } from './report.js';
import { floor, skipReasons, title, workflows } from './suite.js';

/** As much as must pass, of every workflow. */
const enough: readonly TestCase[] = Array.from({ length: floor.tests }, (_, index) => ({
  name: `${title} ${workflows[index % workflows.length] ?? ''} test ${index}`,
  outcome: 'passed',
  message: '',
}));
const ended = (name: string, outcome: TestCase['outcome'], message = ''): TestCase => ({ name: `${title} Pull ${name}`, outcome, message });

describe('the reading of a report', () => {
  it('tells what passed, failed and was skipped, by its whole name', () => {
    const junit = `<?xml version="1.0"?><testsuites><testsuite name="conformance tests">
      <testcase name="[BeforeSuite]" classname="conformance tests" status="passed"></testcase>
      <testcase name="html custom reporter" classname="conformance tests" status="passed"></testcase>
      <testcase name="${title} Pull GET &#34;x&#34; &lt;name&gt;" status="passed" time="0.1"/>
      <testcase name="${title} Push PUT" status="failed"><failure message="Expected&#xA;    404&#xA;to equal&#xA;    202" type="failed">…</failure></testcase>
      <testcase name="${title} Push POST" status="skipped"><skipped message="skipped - you have skipped this test."></skipped></testcase>
      <testcase name="${title} Push PATCH" status="panicked"><error message="boom"></error></testcase>
    </testsuite></testsuites>`;

    expect(testCasesIn(junit)).toEqual([
      { name: `${title} Pull GET "x" <name>`, outcome: 'passed', message: '' },
      { name: `${title} Push PUT`, outcome: 'failed', message: 'Expected\n    404\nto equal\n    202' },
      { name: `${title} Push POST`, outcome: 'skipped', message: 'skipped - you have skipped this test.' },
      { name: `${title} Push PATCH`, outcome: 'failed', message: 'boom' },
    ]);
  });
});

describe('the verdict on a report', () => {
  it('is good when enough passed and every skip has its reason', () => {
    const skipped = Object.keys(skipReasons).map((name) => ended(name, 'skipped'));

    const verdict = judge([...enough, ...skipped]);

    expect(verdict.problems).toEqual([]);
    expect(verdict.skips.map(({ reason }) => reason)).toEqual(Object.values(skipReasons));
  });

  it.each<[string, readonly TestCase[], string]>([
    ['a failure', [...enough, ended('DELETE', 'failed', 'got 405')], `failed: ${title} Pull DELETE: got 405`],
    ['a skip without a reason', [...enough, ended('DELETE', 'skipped')], `skipped for no reason we know: ${title} Pull DELETE`],
    ['an empty report', [], `0 tests passed, fewer than ${floor.tests}`],
    [
      'a workflow that was left out',
      enough.map((test) => ({ ...test, name: test.name.replace(' Push ', ' Pull ') })),
      `0 tests of the workflow Push passed, fewer than ${floor.perWorkflow}`,
    ],
  ])('is bad after %s', (_what, cases, problem) => {
    expect(judge(cases).problems).toContain(problem);
  });
});
