import { describe, expect, it } from '@jest/globals';
import { formatBytes, formatSeconds, roundSeconds, shortDigest } from './format.js';

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1, '1 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [50 * 1024 ** 2, '50.0 MiB'],
    [3 * 1024 ** 3, '3.0 GiB'],
    [2 * 1024 ** 5, '2048.0 TiB'],
  ])('writes %d as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('times and digests', () => {
  it('are short', () => {
    expect(formatSeconds(1234.5)).toBe('1.234');
    expect(roundSeconds(61_250)).toBe('61.3 s');
    expect(shortDigest(`sha256:${'0123456789abcdef'.repeat(4)}`)).toBe('sha256:0123456789ab');
  });
});
