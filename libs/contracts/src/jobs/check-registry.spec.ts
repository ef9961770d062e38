import { describe, expect, it } from '@jest/globals';
import { CheckRegistry } from './check-registry.js';

const id = '01931b2e-7d4a-7c1e-9f65-0d4c5a1b2c3d';
const valid = { v: 1, checkId: id, registryId: id, location: 'us-east-1', dispatch: 3 };

describe('CheckRegistry', () => {
  it('takes ids and a version', () => {
    expect(CheckRegistry.parse(valid)).toEqual(valid);
  });

  it.each<[string, unknown]>([
    ['another version', { ...valid, v: 2 }],
    ['what is no UUID', { ...valid, registryId: 'prod' }],
    ['a location that would end the name of a queue', { ...valid, location: 'eu:wait' }],
    ['a negative dispatch', { ...valid, dispatch: -1 }],
    ['more than ids', { ...valid, url: 'https://registry.example.com' }],
    ['nothing', undefined],
  ])('refuses %s', (_what, payload) => {
    expect(CheckRegistry.safeParse(payload).success).toBe(false);
  });
});
