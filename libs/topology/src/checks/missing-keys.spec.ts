import { describe, expect, it } from '@jest/globals';
import { diagnose, placeOf, type Planted, topologyText } from '../planted.spec-helper.js';

interface Mistake extends Planted {
  readonly name: string;
  readonly code: string;
  readonly says: string;
  readonly suggests?: string;
  readonly at: string;
}

const mistakes: readonly Mistake[] = [
  {
    name: 'a registry without an address',
    code: 'address-missing',
    says: 'registry "far" has neither url nor local',
    at: '/registries/far',
    registries: '▶far: { role: sandbox, location: eu }',
  },
  {
    name: 'a registry without a location',
    code: 'location-missing',
    says: 'registry "far" has no location',
    at: '/registries/far',
    registries: '▶far: { role: cache, local: true }',
  },
];

describe('missingKeys', () => {
  it.each(mistakes)('$name', ({ code, says, suggests, at, ...planted }) => {
    const { found, marks } = diagnose(topologyText(planted));

    const diagnostic = found.find((one) => one.code === code && placeOf(one) === marks[0]);
    expect({ found: found.map((one) => `${one.code} ${placeOf(one)} ${one.message}`), diagnostic }).toMatchObject({
      diagnostic: { message: expect.stringContaining(says), path: at, severity: 'error' },
    });
    expect(diagnostic?.suggestion).toBe(suggests);
  });

  it.each([
    ['a url that is wrong', 'far: { role: sandbox, location: eu, url: 5 }'],
    ['a location that is wrong', 'far: { role: sandbox, location: [], local: true }'],
    ['nothing at all', 'far:'],
    ['an upstream without location', 'far: { role: upstream, url: "https://quay.io" }'],
  ])('misses nothing for %s', (_name, registries) => {
    const { found } = diagnose(topologyText({ registries }));

    expect(found.filter(({ code }) => code.endsWith('-missing'))).toEqual([]);
  });
});
