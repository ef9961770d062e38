import { FixedOffsetZone, IANAZone, type Zone } from 'luxon';
import { nearest } from '../nearest.js';

/**
 * A time as clocks on a wall show it, without saying where: the milliseconds that it would be in UTC.
 * Between it and an instant stand the rules of a time zone, with hours that exist twice or not at all.
 */
export type WallTime = number;

const dayMs = 86_400_000;
const minuteMs = 60_000;

export type ParsedTimeZone =
  { readonly ok: true; readonly zone: TimeZone } | { readonly ok: false; readonly problem: string; readonly suggestion?: string };

/** Takes a name of the IANA time zone database such as `Europe/Berlin`, or `UTC`. Offsets such as `+02:00` know no summer and are refused. */
export function parseTimeZone(name: string): ParsedTimeZone {
  if (name === 'UTC') return { ok: true, zone: utc };
  if (/^[A-Za-z]/.test(name) && IANAZone.isValidZone(name)) return { ok: true, zone: new TimeZone(IANAZone.create(name)) };
  const [suggestion] = nearest(name, ['UTC', ...Intl.supportedValuesOf('timeZone')], 1);
  return { ok: false, problem: 'is no time zone such as Europe/Berlin or UTC', ...(suggestion === undefined ? {} : { suggestion }) };
}

export class TimeZone {
  readonly #zone: Zone;

  constructor(zone: Zone) {
    this.#zone = zone;
  }

  wallTimeAt(instant: number): WallTime {
    return instant + this.#offsetAt(instant);
  }

  /** The first instant at which clocks show the time; where they never do, the first moment after the gap that leaves it out. */
  instantOf(wall: WallTime): number {
    const offsets = [this.#offsetAt(wall - dayMs), this.#offsetAt(wall + dayMs)];
    const instants = offsets.map((offset) => wall - offset).sort((one, other) => one - other);
    const shown = instants.find((instant) => this.wallTimeAt(instant) === wall);
    return shown ?? this.#firstAfterGap(wall, instants);
  }

  /** The change of offset lies between the two instants that the offsets on its both sides make of a time in the gap. */
  #firstAfterGap(wall: WallTime, [before = wall, after = wall]: readonly number[]): number {
    let early = before;
    let late = after;
    while (late - early > 1) {
      const middle = Math.floor((early + late) / 2);
      if (this.wallTimeAt(middle) > wall) late = middle;
      else early = middle;
    }
    return late;
  }

  #offsetAt(instant: number): number {
    return this.#zone.offset(instant) * minuteMs;
  }
}

/** The one that most schedules are in, without the cost of asking for it. */
const utc = new TimeZone(FixedOffsetZone.utcInstance);
