import { describe, expect, it } from '@jest/globals';
import { nearest } from './nearest.js';

const registries = ['ci-snapshots', 'ci-tests', 'prod', 'prod-us', 'prod-ap'];

describe('nearest', () => {
  it.each([
    ['a letter too few', 'ci-snapshot', ['ci-snapshots']],
    ['letters swapped', 'pord', ['prod']],
    ['another case', 'PROD', ['prod', 'prod-ap', 'prod-us']],
    ['a part of it', 'snapshots', ['ci-snapshots']],
    ['fewer edits before parts', 'prod-us1', ['prod-us', 'prod']],
    ['nothing near', 'elsewhere', []],
    ['nothing', '', []],
  ])('finds what was meant: %s', (_name, word, expected) => {
    expect(nearest(word, registries)).toEqual(expected);
  });

  it('allows one edit only in words of two letters', () => {
    expect(nearest('us', ['eu', 'ap', 'uk'])).toEqual(['uk']);
  });

  it('gives no more than asked for, in a stable order', () => {
    expect(nearest('prod-eu', ['prod-us', 'prod-ap', 'prod'], 2)).toEqual(['prod-ap', 'prod-us']);
  });

  it('looks at no word of unreasonable length', () => {
    const long = 'a'.repeat(256);

    expect(nearest(long, [long])).toEqual([]);
    expect(nearest('aaa', [long])).toEqual([]);
  });
});
