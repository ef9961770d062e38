import { floor, skipReasons, title, workflows } from './suite.js';

export interface TestCase {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** What the report says beside a failure. */
  readonly message: string;
}

export interface Verdict {
  readonly passed: number;
  readonly skips: readonly { readonly name: string; readonly reason: string | undefined }[];
  /** Why the run does not count as conformant; none when it does. */
  readonly problems: readonly string[];
}

const element = /<testcase\b(?<attributes>[^>]*?)(?:\/>|>(?<inside>[\s\S]*?)<\/testcase>)/g;

/**
 * The test cases of a JUnit report. Ginkgo also lists what sets up and reports, with its kind before the name or without
 * (`OmitLeafNodeType`), and as passed: only what stands under the suite's title is a test.
 */
export function testCasesIn(junit: string): readonly TestCase[] {
  return [...junit.matchAll(element)].flatMap(({ groups }) => {
    const name = attribute('name', groups?.['attributes'] ?? '') ?? '';
    const inside = groups?.['inside'] ?? '';
    if (!name.includes(`${title} `)) return [];
    return [{ name, outcome: outcomeOf(inside), message: attribute('message', inside) ?? '' }];
  });
}

/** Holds a report to what must be seen: no failure, a reason for every skip, and enough of every workflow. */
export function judge(cases: readonly TestCase[]): Verdict {
  const passed = cases.filter(({ outcome }) => outcome === 'passed');
  const skips = cases.filter(({ outcome }) => outcome === 'skipped').map(({ name }) => ({ name, reason: reasonFor(name) }));
  const thin = workflows
    .map((workflow) => ({ workflow, count: passed.filter(({ name }) => belongsTo(workflow, name)).length }))
    .filter(({ count }) => count < floor.perWorkflow);
  return {
    passed: passed.length,
    skips,
    problems: [
      ...cases.filter(({ outcome }) => outcome === 'failed').map(({ name, message }) => `failed: ${name}: ${message}`),
      ...skips.filter(({ reason }) => reason === undefined).map(({ name }) => `skipped for no reason we know: ${name}`),
      ...thin.map(({ workflow, count }) => `${count} tests of the workflow ${workflow} passed, fewer than ${floor.perWorkflow}`),
      ...(passed.length < floor.tests ? [`${passed.length} tests passed, fewer than ${floor.tests}`] : []),
    ],
  };
}

function reasonFor(name: string): string | undefined {
  const known = Object.keys(skipReasons).find((end) => name.endsWith(end));
  return known === undefined ? undefined : skipReasons[known];
}

/** A name is the suite's title, then the workflow's, then what is tested. */
function belongsTo(workflow: string, name: string): boolean {
  return name.includes(`${title} ${workflow} `);
}

function outcomeOf(inside: string): TestCase['outcome'] {
  if (/<(?:failure|error)\b/.test(inside)) return 'failed';
  return /<skipped\b/.test(inside) ? 'skipped' : 'passed';
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function attribute(name: string, text: string): string | undefined {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1];
  return value?.replaceAll(/&(?:#(x[\da-f]+|\d+)|(\w+));/gi, (whole, code: string | undefined, word: string | undefined) =>
    code === undefined ? (entities[word ?? ''] ?? whole) : String.fromCodePoint(Number(code.replace(/^x/i, '0x'))),
  );
}
