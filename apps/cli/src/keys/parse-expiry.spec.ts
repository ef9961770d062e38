import { describe, expect, it } from '@jest/globals';
import { parseExpiry } from './parse-expiry.js';

const now = new Date('2026-05-01T10:00:00Z');

describe('parseExpiry', () => {
  it.each([
    ['12h', '2026-05-01T22:00:00.000Z'],
    ['90d', '2026-07-30T10:00:00.000Z'],
    ['2026-12-31', '2026-12-31T00:00:00.000Z'],
    ['2026-12-31T12:00:00+02:00', '2026-12-31T10:00:00.000Z'],
  ])('reads %s', (text, expected) => {
    expect(parseExpiry(text, now)?.toISOString()).toBe(expected);
  });

  it.each(['2026-04-30', '2026-05-01T10:00:00Z', 'soon', '', '-1d', '2026-02-30'])('takes no %j', (text) => {
    expect(parseExpiry(text, now)).toBeUndefined();
  });
});
