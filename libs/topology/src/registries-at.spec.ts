import { describe, expect, it } from '@jest/globals';
import { topologyWith } from './questions.spec-helper.js';
import { registriesAt } from './registries-at.js';

describe('registriesAt', () => {
  it.each([
    ['eu', ['box', 'tests', 'snapshots', 'stage', 'prod', 'archive', 'mirror']],
    ['us', ['prod-us']],
    ['mars', []],
  ])('finds what stands at %s', (location, expected) => {
    expect(registriesAt(topologyWith(), location).map(({ name }) => name)).toEqual(expected);
  });
});
