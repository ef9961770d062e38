const longest = 60 * 60 * 1000;

/**
 * How long a `Retry-After` header asks to wait, in milliseconds, at most an hour.
 * Seconds or an HTTP date (RFC 9110, section 10.2.3); undefined for anything else.
 */
export function retryAfterMs(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now.getTime();
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), longest);
}
