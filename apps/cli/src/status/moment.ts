import { parseDuration } from '@waybill/topology';

/** RFC 3339, or a day alone, which begins at midnight UTC. */
const timePattern = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

const lastYear = 9_999;

/** A time as `2026-05-01T10:00:00Z` or `2026-05-01`, or how long ago, as `90m`, `72h` or `7d`; undefined for anything else. */
export function parseMoment(text: string, now: Date): Date | undefined {
  const ago = parseDuration(text);
  const moment = ago === undefined ? new Date(isWrittenTime(text) ? text : Number.NaN) : new Date(now.getTime() - ago);
  const year = moment.getUTCFullYear();
  // RFC 3339 knows four digits of a year.
  return year >= 0 && year <= lastYear ? moment : undefined;
}

/** Dates roll over: the 30th of February would be a day of March. */
function isWrittenTime(text: string): boolean {
  if (!timePattern.test(text)) return false;
  const day = text.slice(0, 10);
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}
