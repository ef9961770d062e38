import { describe, expect, it } from '@jest/globals';
import { zstdFrameOf } from './zstd-frame.js';

describe('a zstd frame', () => {
  it.each([
    ['', '28b52ffd a0 00000000 010000'],
    ['abc', '28b52ffd a0 03000000 190000 616263'],
  ])('of %j is what RFC 8878 says', (content, hex) => {
    expect(zstdFrameOf(Buffer.from(content)).toString('hex')).toBe(hex.replaceAll(' ', ''));
  });

  it('has no block of more than 128 KiB', () => {
    const frame = zstdFrameOf(Buffer.alloc(128 * 1024 + 1, 'x'));

    expect(frame.subarray(9, 12).toString('hex')).toBe('000010'); // 128 KiB, raw, more follow
    expect(frame.subarray(-4).toString('hex')).toBe('09000078'); // 1 byte, raw, the last
  });
});
