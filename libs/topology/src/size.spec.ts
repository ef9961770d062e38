import { describe, expect, it } from '@jest/globals';
import { parseSize } from './size.js';

describe('parseSize', () => {
  it.each([
    ['0B', 0],
    ['512B', 512],
    ['3kB', 3_000],
    ['3KiB', 3_072],
    ['200MiB', 209_715_200],
    ['500GiB', 536_870_912_000],
    ['2TB', 2_000_000_000_000],
    ['8191TiB', 9_006_099_743_113_216],
    ['', undefined],
    ['500', undefined],
    ['GiB', undefined],
    ['1.5GiB', undefined],
    ['-1GiB', undefined],
    ['1 GiB', undefined],
    ['500Gi', undefined],
    ['1gib', undefined],
    ['999999999TiB', undefined],
    ['1constructor', undefined],
  ])('%j is %s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });
});
