import { parseDuration } from '@waybill/topology';

/** RFC 3339, or a day alone, which begins at midnight UTC. */
const timePattern = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** A time as `2026-05-01T10:00:00Z` or `2026-05-01`, or how long ago, as `90m`, `72h` or `7d`; undefined for anything else. */
export function parseMoment(text: string, now: Date): Date | undefined {
  const ago = parseDuration(text);
  const moment = ago === undefined ? new Date(timePattern.test(text) ? text : Number.NaN) : new Date(now.getTime() - ago);
  return Number.isNaN(moment.getTime()) ? undefined : moment;
}
