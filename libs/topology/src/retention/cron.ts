import { Cron as Croner } from 'croner';
import { parseTimeZone, type TimeZone, type WallTime } from './local-time.js';

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

/** In the order of the expression, each with its numbers. */
const fields = [
  { name: 'minute', first: 0, last: 59 },
  { name: 'hour', first: 0, last: 23 },
  { name: 'day of month', first: 1, last: 31 },
  { name: 'month', first: 1, last: 12 },
  { name: 'day of week', first: 0, last: 7 },
] as const;
const longest = 200;

/** Numbers, names of months and days, ranges, steps and lists; no words that only some programs know. */
const part = String.raw`(?:\*|(?:\d{1,2}|[A-Za-z]{3})(?:-(?:\d{1,2}|[A-Za-z]{3}))?)(?:\/\d{1,2})?`;
const fieldSyntax = new RegExp(`^${part}(?:,${part})*$`);

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

type NextWallTime = (wall: WallTime) => WallTime | undefined;
type Expression = { readonly ok: true; readonly nextWallTime: NextWallTime } | { readonly ok: false; readonly problem: string };

function readExpression(text: string): Expression {
  const written = text.trim().split(/\s+/);
  if (text.length > longest) return { ok: false, problem: `is longer than ${longest} characters` };
  if (written.length !== fields.length || written[0] === '') {
    return { ok: false, problem: `must have five fields (${fields.map(({ name }) => name).join(', ')}), such as "0 3 * * *"` };
  }
  const wrong = written.findIndex((one, index) => !isField(one, index));
  if (wrong !== -1) return { ok: false, problem: `has the ${fields[wrong]?.name ?? ''} ${JSON.stringify(written[wrong])}, which is none` };
  return usable(written.join(' '));
}

function isField(text: string, index: number): boolean {
  const { first = 0, last = 0 } = fields[index] ?? {};
  const numbers = Array.from(text.matchAll(/(?<!\/)\b\d+/g), ([digits]) => Number(digits));
  return fieldSyntax.test(text) && numbers.every((number) => first <= number && number <= last);
}

/** Times are reckoned without a zone, which is what the library calls an offset of 0. */
function usable(text: string): Expression {
  try {
    const expression = new Croner(text, { paused: true, utcOffset: 0 });
    const nextWallTime: NextWallTime = (wall) => expression.nextRun(new Date(wall))?.getTime();
    return nextWallTime(0) === undefined ? { ok: false, problem: 'is never due: no such day exists' } : { ok: true, nextWallTime };
  } catch (error) {
    return { ok: false, problem: `is not understood: ${error instanceof Error ? error.message.replace(/^CronPattern: /, '') : ''}` };
  }
}

class ZonedCron implements Cron {
  readonly #nextWallTime: NextWallTime;
  readonly #zone: TimeZone;

  constructor(nextWallTime: NextWallTime, zone: TimeZone) {
    this.#nextWallTime = nextWallTime;
    this.#zone = zone;
  }

  /** Times within a gap, and those that clocks show twice, come out at or before `date` and are passed over. */
  nextAfter(date: Date): Date {
    let wall = this.#zone.wallTimeAt(date.getTime());
    for (;;) {
      const next = this.#nextWallTime(wall);
      if (next === undefined) throw new RangeError('the calendar has ended');
      wall = next;
      const instant = this.#zone.instantOf(wall);
      if (instant > date.getTime()) return new Date(instant);
    }
  }
}
