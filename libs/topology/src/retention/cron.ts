import { CronExpressionParser } from 'cron-parser';
import { parseTimeZone, type TimeZone } from './local-time.js';

/** When something is due, again and again. */
export interface Cron {
  /**
   * The first time after `date`.
   *
   * An expression names times as clocks on a wall show them, each of which is due once.
   * Where clocks are put forward, what they leave out is due at the first moment after the gap.
   * Where they are put back, what they show twice is due the first time only; an hourly expression
   * then pauses for an hour, as the clock does.
   */
  nextAfter(date: Date): Date;
}

export type ParsedCron = { readonly ok: true; readonly cron: Cron } | { readonly ok: false; readonly problem: string };

const fields = ['minute', 'hour', 'day of month', 'month', 'day of week'] as const;
const longest = 200;

/** Numbers, names of months and days, ranges, steps and lists; no words that only some programs know. */
const part = String.raw`(?:\*|(?:\d{1,2}|[A-Za-z]{3})(?:-(?:\d{1,2}|[A-Za-z]{3}))?)(?:\/\d{1,2})?`;
const field = new RegExp(`^${part}(?:,${part})*$`);

/**
 * Reads an expression of five fields: minute, hour, day of month, month, day of week.
 * Where both days are restricted, either will do, as in crontab(5). One that is never due, as on 31 February, is a problem.
 * A time zone is an IANA name.
 */
export function parseCron(text: string, timezone: string): ParsedCron {
  const zone = parseTimeZone(timezone);
  if (!zone.ok) return { ok: false, problem: `the time zone ${zone.problem}` };
  const expression = readExpression(text);
  if (!expression.ok) return expression;
  return { ok: true, cron: new ZonedCron(expression.nextWallTime, zone.zone) };
}

type Expression = { readonly ok: true; readonly nextWallTime: (wall: number) => number } | { readonly ok: false; readonly problem: string };

function readExpression(text: string): Expression {
  const written = text.trim().split(/\s+/);
  if (text.length > longest) return { ok: false, problem: `is longer than ${longest} characters` };
  if (written.length !== fields.length || written[0] === '') {
    return { ok: false, problem: `must have five fields (${fields.join(', ')}), such as "0 3 * * *"` };
  }
  const wrong = written.findIndex((one) => !field.test(one));
  if (wrong !== -1) return { ok: false, problem: `has a ${fields[wrong] ?? ''} that is none: ${JSON.stringify(written[wrong])}` };
  return usable(written.join(' '));
}

/** Any year in a row of eight has a 29 February, and none has a 31st. */
function usable(text: string): Expression {
  const nextWallTime = (wall: number): number =>
    CronExpressionParser.parse(text, { tz: 'UTC', currentDate: new Date(wall) })
      .next()
      .getTime();
  try {
    CronExpressionParser.parse(text, { tz: 'UTC' });
  } catch (error) {
    return { ok: false, problem: problemOf(error) };
  }
  try {
    nextWallTime(0);
    return { ok: true, nextWallTime };
  } catch {
    return { ok: false, problem: neverDue };
  }
}

const neverDue = 'is never due: no such day exists';

function problemOf(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  if (message.includes('day of month')) return neverDue;
  return `is not understood: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}

class ZonedCron implements Cron {
  readonly #nextWallTime: (wall: number) => number;
  readonly #zone: TimeZone;

  constructor(nextWallTime: (wall: number) => number, zone: TimeZone) {
    this.#nextWallTime = nextWallTime;
    this.#zone = zone;
  }

  /** Times within a gap, and those that clocks show twice, come out at or before `date` and are passed over. */
  nextAfter(date: Date): Date {
    let wall = this.#zone.wallTimeAt(date.getTime());
    for (;;) {
      wall = this.#nextWallTime(wall);
      const instant = this.#zone.instantOf(wall);
      if (instant > date.getTime()) return new Date(instant);
    }
  }
}
