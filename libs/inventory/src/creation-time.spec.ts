import { describe, expect, it } from '@jest/globals';
import { creationTime } from './creation-time.js';

const now = new Date('2026-05-01T12:00:00Z');

describe('creationTime', () => {
  it.each([
    ['2026-04-30T10:00:00Z', '2026-04-30T10:00:00.000Z'],
    ['2026-04-30T10:00:00.123456789Z', '2026-04-30T10:00:00.123Z'],
    ['2026-04-30T12:00:00+02:00', '2026-04-30T10:00:00.000Z'],
    ['2026-05-02T11:59:59Z', '2026-05-02T11:59:59.000Z'],
  ])('of %s is %s', (text, expected) => {
    expect(creationTime(text, now)).toEqual({ at: new Date(expected) });
  });

  it.each([
    [undefined, 'missing'],
    ['', 'missing'],
    ['yesterday', 'invalid'],
    ['2026-04-30', 'invalid'],
    ['2026-13-30T10:00:00Z', 'invalid'],
    ['1970-01-01T00:00:00Z', 'epoch'],
    ['0001-01-01T00:00:00Z', 'epoch'],
    ['1980-01-01T00:00:00Z', 'epoch'],
    ['2026-05-02T12:00:01Z', 'future'],
    ['9999-12-31T23:59:59Z', 'future'],
  ])('of %s is a problem: %s', (text, problem) => {
    expect(creationTime(text, now)).toEqual({ problem });
  });
});
