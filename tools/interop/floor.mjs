import path from 'node:path';

/**
 * The least that must pass where nothing may be left out: Debian's servers, and what Go can build of all but zot, which
 * not everybody can get. Keep the figures just below what is seen.
 *
 * @type {Readonly<Record<string, number>>}
 */
export const FLOOR = {
  'capabilities.spec.ts': 12,
  'contract.spec.ts': 1110,
  'cosign.spec.ts': 215,
  'judges.spec.ts': 79,
  'layout-referrers.spec.ts': 11,
  'matrix.spec.ts': 97,
  'places.spec.ts': 1,
  'sync.spec.ts': 15,
};

/**
 * @param {import('../../scripts/bootstrap/test-results.mjs').JestResults} results
 * @param {Readonly<Record<string, number>>} [floor] spec file → tests
 * @returns {string[]} where less was tested, or something that the floor does not know
 */
export function belowFloor(results, floor = FLOOR) {
  const passed = new Map(
    results.testResults.map(({ name, assertionResults }) => [
      path.basename(name),
      assertionResults.filter(({ status }) => status === 'passed').length,
    ]),
  );
  return [
    ...Object.entries(floor)
      .filter(([file, least]) => (passed.get(file) ?? 0) < least)
      .map(([file, least]) => `${file}: ${passed.get(file) ?? 0} tests passed, at least ${least} are expected`),
    ...[...passed.keys()].filter((file) => !(file in floor)).map((file) => `${file}: not in the table of tools/interop/floor.mjs`),
  ];
}
