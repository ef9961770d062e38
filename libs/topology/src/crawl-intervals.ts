import type { Registry } from './model.js';

const minuteMs = 60_000;
const usual = { quickMs: 15 * minuteMs, fullMs: 24 * 60 * minuteMs } as const;

/** How long from one quick crawl of the registry to the next, and from one full crawl to the next, in milliseconds. */
export function crawlIntervals({ crawl }: Pick<Registry, 'crawl'>): { readonly quickMs: number; readonly fullMs: number } {
  return { ...usual, ...crawl };
}
