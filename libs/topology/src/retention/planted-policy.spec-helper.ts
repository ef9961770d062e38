import { expect } from '@jest/globals';
import { diagnose, placeOf, type Planted, topologyText } from '../planted.spec-helper.js';

interface Differences {
  readonly registry?: string;
  readonly schedule?: string;
  readonly repositories?: string;
}

/** The line of a policy named `p`, sound but for the keys that are added. It is the second of the file. */
export function policyWith(
  keys: string,
  { registry = 'tests', schedule = '"0 3 * * *"', repositories = '["**"]' }: Differences = {},
): string {
  return `- { name: p, registry: ${registry}, schedule: ${schedule}, repositories: ${repositories}, ${keys} }`;
}

/** The same with one rule. */
export function ruleWith(keys: string, differences: Differences = {}): string {
  return policyWith(`rules: [{ name: r, ${keys} }]`, differences);
}

export interface Mistake extends Planted {
  readonly name: string;
  readonly code: string;
  readonly says: string;
  readonly suggests?: string;
  readonly at: string;
  readonly severity?: 'error' | 'warning';
}

/** The mistake is found at the mark that is planted with it. */
export function expectFound({ code, says, suggests, at, severity = 'error', ...planted }: Mistake): void {
  const { found, marks } = diagnose(topologyText(planted));

  const diagnostic = found.find((one) => one.code === code && placeOf(one) === marks[0] && one.path === at);
  expect({ found: found.map((one) => `${one.code} ${placeOf(one)} ${one.path} ${one.message}`), marks, diagnostic }).toMatchObject({
    diagnostic: { message: expect.stringContaining(says), severity },
  });
  expect(diagnostic?.suggestion).toBe(suggests);
}

/** Everything that is found in a file with the policies added, as `code message`. */
export function foundIn(planted: Planted): string[] {
  return diagnose(topologyText(planted)).found.map(({ code, message }) => `${code} ${message}`);
}
