const longest = 60 * 60 * 1000;

/**
 * How long a `Retry-After` header asks to wait, in milliseconds, at most an hour.
 * Seconds or an HTTP date (RFC 9110, section 10.2.3); undefined for anything else.
 */
export function retryAfterMs(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : httpDate(text) - now.getTime();
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), longest);
}

/** Every form of an HTTP date begins with the day of the week; `Date.parse` alone takes numbers for years. */
function httpDate(text: string): number {
  return /^[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN;
}
