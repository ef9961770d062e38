import { describe, expect, it } from '@jest/globals';
import { parseCron } from './cron.js';

/** The next times after `from`. */
function times(text: string, timezone: string, from: string, count: number): string[] {
  const parsed = parseCron(text, timezone);
  if (!parsed.ok) throw new Error(parsed.problem);
  const found: string[] = [];
  let at = new Date(from);
  for (let index = 0; index < count; index += 1) {
    at = parsed.cron.nextAfter(at);
    found.push(at.toISOString().replace(':00.000Z', 'Z'));
  }
  return found;
}

function problemOf(text: string, timezone = 'UTC'): string | undefined {
  const parsed = parseCron(text, timezone);
  return parsed.ok ? undefined : parsed.problem;
}

describe('parseCron', () => {
  it.each([
    ['0 3 * * *', 'UTC', '2026-01-01T03:00:00Z', ['2026-01-02T03:00Z', '2026-01-03T03:00Z']],
    ['*/20 * * * *', 'UTC', '2026-01-01T00:30:00Z', ['2026-01-01T00:40Z', '2026-01-01T01:00Z']],
    ['0 3 * * *', 'Europe/Berlin', '2026-01-01T00:00:00Z', ['2026-01-01T02:00Z', '2026-01-02T02:00Z']],
    ['0 3 * * *', 'Asia/Kolkata', '2026-01-01T00:00:00Z', ['2026-01-01T21:30Z']],
    ['0 0 * * sun', 'UTC', '2026-01-01T00:00:00Z', ['2026-01-04T00:00Z', '2026-01-11T00:00Z']],
    ['0 0 * * 7', 'UTC', '2026-01-01T00:00:00Z', ['2026-01-04T00:00Z']],
    ['0 0 1 JAN-MAR/2 *', 'UTC', '2026-01-01T00:00:00Z', ['2026-03-01T00:00Z', '2027-01-01T00:00Z']],
    ['0 0 13 * fri', 'UTC', '2026-02-01T00:00:00Z', ['2026-02-06T00:00Z', '2026-02-13T00:00Z']],
    ['0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', ['2028-02-29T00:00Z', '2032-02-29T00:00Z']],
    ['0 0 29 2 *', 'UTC', '2097-01-01T00:00:00Z', ['2104-02-29T00:00Z']],
    ['  0   3  * * * ', 'UTC', '2026-01-01T00:00:00Z', ['2026-01-01T03:00Z']],
  ])('finds the next times of %j in %s after %s', (text, timezone, from, expected) => {
    expect(times(text, timezone, from, expected.length)).toEqual(expected);
  });

  describe('where clocks are put forward', () => {
    it.each([
      ['Europe/Berlin', '30 2 * * *', '2026-03-28T02:00:00Z', ['2026-03-29T01:00Z', '2026-03-30T00:30Z']],
      ['America/New_York', '30 2 * * *', '2026-03-07T12:00:00Z', ['2026-03-08T07:00Z', '2026-03-09T06:30Z']],
      ['Australia/Sydney', '30 2 * * *', '2026-10-03T00:00:00Z', ['2026-10-03T16:00Z', '2026-10-04T15:30Z']],
      ['America/Santiago', '30 0 * * *', '2026-09-05T12:00:00Z', ['2026-09-06T04:00Z', '2026-09-07T03:30Z']],
      ['Australia/Lord_Howe', '15 2 * * *', '2026-10-03T00:00:00Z', ['2026-10-03T15:30Z', '2026-10-04T15:15Z']],
    ])('in %s, %j that does not exist is due at the first moment after the gap', (timezone, text, from, expected) => {
      expect(times(text, timezone, from, expected.length)).toEqual(expected);
    });

    it('is due once, however many times the gap leaves out', () => {
      expect(times('*/30 * * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', 4)).toEqual([
        '2026-03-29T00:30Z',
        '2026-03-29T01:00Z',
        '2026-03-29T01:30Z',
        '2026-03-29T02:00Z',
      ]);
    });

    it('is due after a day that a country left out', () => {
      expect(times('0 12 * * *', 'Pacific/Apia', '2011-12-29T21:00:00Z', 2)).toEqual(['2011-12-29T22:00Z', '2011-12-30T10:00Z']);
    });
  });

  describe('where clocks are put back', () => {
    it.each([
      ['Europe/Berlin', '30 2 * * *', '2026-10-24T12:00:00Z', ['2026-10-25T00:30Z', '2026-10-26T01:30Z']],
      ['America/New_York', '30 1 * * *', '2026-10-31T12:00:00Z', ['2026-11-01T05:30Z', '2026-11-02T06:30Z']],
      ['Australia/Sydney', '30 2 * * *', '2026-04-04T00:00:00Z', ['2026-04-04T15:30Z', '2026-04-05T16:30Z']],
      ['America/Santiago', '30 23 * * *', '2026-04-04T12:00:00Z', ['2026-04-05T02:30Z', '2026-04-06T03:30Z']],
      ['Australia/Lord_Howe', '45 1 * * *', '2026-04-04T00:00:00Z', ['2026-04-04T14:45Z', '2026-04-05T15:15Z']],
    ])('in %s, %j that exists twice is due the first time only', (timezone, text, from, expected) => {
      expect(times(text, timezone, from, expected.length)).toEqual(expected);
    });

    it('is not due again when asked between the two', () => {
      expect(times('30 2 * * *', 'Europe/Berlin', '2026-10-25T01:10:00Z', 1)).toEqual(['2026-10-26T01:30Z']);
    });

    it('pauses an hourly expression for the hour that clocks repeat', () => {
      expect(times('0 * * * *', 'Europe/Berlin', '2026-10-24T23:30:00Z', 3)).toEqual([
        '2026-10-25T00:00Z',
        '2026-10-25T02:00Z',
        '2026-10-25T03:00Z',
      ]);
    });
  });

  it.each([
    ['', 'must have five fields (minute, hour, day of month, month, day of week), such as "0 3 * * *"'],
    ['0 3 * *', 'must have five fields (minute, hour, day of month, month, day of week), such as "0 3 * * *"'],
    ['0 0 3 * * *', 'must have five fields (minute, hour, day of month, month, day of week), such as "0 3 * * *"'],
    ['@daily', 'must have five fields (minute, hour, day of month, month, day of week), such as "0 3 * * *"'],
    ['0 3 * * mon#1', 'has the day of week "mon#1", which is none'],
    ['0 3 L * *', 'has the day of month "L", which is none'],
    ['H 3 * * *', 'has the minute "H", which is none'],
    ['0 3 ? * *', 'has the day of month "?", which is none'],
    ['-1 3 * * *', 'has the minute "-1", which is none'],
    ['60 3 * * *', 'has the minute "60", which is none'],
    ['0 24 * * *', 'has the hour "24", which is none'],
    ['0 3 * 13 *', 'has the month "13", which is none'],
    ['0 3 1-32 * *', 'has the day of month "1-32", which is none'],
    ['0 3 * * foo', 'is not understood'],
    ['0 3 0 * *', 'has the day of month "0", which is none'],
    ['30-10 3 * * *', 'is not understood'],
    ['*/0 3 * * *', 'is not understood'],
    ['0 0 31 2 *', 'is never due: no such day exists'],
    ['0 0 30 feb *', 'is never due: no such day exists'],
    ['0 0 31 2,4,6,9,11 *', 'is never due: no such day exists'],
    [`0 3 ${'1,'.repeat(150)}1 * *`, 'is longer than 200 characters'],
  ])('refuses %j', (text, problem) => {
    expect(problemOf(text)).toContain(problem);
  });

  it.each(['Europe/Berlyn', '', 'CEST+2', '+02:00', 'constructor'])('refuses the time zone %j', (timezone) => {
    expect(problemOf('0 3 * * *', timezone)).toContain('the time zone is no time zone');
  });
});
