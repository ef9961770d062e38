import { parseDuration } from '@waybill/topology';
import { parseMoment } from '../status/moment.js';

/** A time as `2026-12-31T00:00:00Z`, or how long from now, as `12h` or `90d`; undefined for anything else, and for what is past. */
export function parseExpiry(text: string, now: Date): Date | undefined {
  const ahead = parseDuration(text);
  const moment = ahead === undefined ? parseMoment(text, now) : new Date(now.getTime() + ahead);
  return moment !== undefined && moment > now ? moment : undefined;
}
