import { describe, expect, it } from '@jest/globals';
import { parseMoment } from './moment.js';

const now = new Date('2026-05-08T10:00:00Z');

describe('parseMoment', () => {
  it.each([
    ['2026-05-01T10:00:00Z', '2026-05-01T10:00:00.000Z'],
    ['2026-05-01T10:00Z', '2026-05-01T10:00:00.000Z'],
    ['2026-05-01T10:00:00.5+02:00', '2026-05-01T08:00:00.500Z'],
    ['2026-05-01', '2026-05-01T00:00:00.000Z'],
    ['7d', '2026-05-01T10:00:00.000Z'],
    ['90m', '2026-05-08T08:30:00.000Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
    ['0s', '2026-05-08T10:00:00.000Z'],
  ])('takes %s for %s', (text, time) => {
    expect(parseMoment(text, now)?.toISOString()).toBe(time);
  });

  // Without a zone it would mean another time on every machine.
  it.each([
    ...['', 'yesterday', '7', 'd', '2026', '2026-05-01T10:00:00', '1e3d', '99999999d', '999999999d'],
    ...['2026-13-01', '2026-02-30', '2027-02-29T10:00:00Z', '2026-04-31'],
  ])('takes %j for none', (text) => {
    expect(parseMoment(text, now)).toBeUndefined();
  });
});
