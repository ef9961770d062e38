import { Refusal } from './refusal.js';

/** One page of a sorted list, and the `Link` that leads to the next one when there is more. */
export interface Page {
  readonly names: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

/** More names than this never go into one answer, whatever is asked for. */
const maxPage = 1000;

/**
 * Cuts the page that `n` and `last` ask for (distribution-spec v1.1.1, "Listing Tags").
 * @throws Refusal `UNSUPPORTED` when `n` is no count
 */
export function pageOf(names: readonly string[], path: string, query: URLSearchParams): Page {
  const count = countIn(query);
  const last = query.get('last');
  const rest = names.toSorted(inLexicalOrder).filter((name) => last === null || inLexicalOrder(name, last) > 0);
  const page = rest.slice(0, count);
  const end = page.at(-1);
  if (end === undefined || page.length === rest.length) return { names: page, headers: {} };
  const next = new URLSearchParams({ n: String(count), last: end });
  return { names: page, headers: { link: `<${path}?${next.toString()}>; rel="next"` } };
}

/**
 * How many entries one answer may hold.
 * @throws Refusal `UNSUPPORTED` when `n` is no count
 */
export function countIn(query: URLSearchParams): number {
  const text = query.get('n');
  if (text === null) return maxPage;
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text), maxPage);
  throw new Refusal('UNSUPPORTED', 'n is not a count', { status: 400 });
}

/** "Case-insensitive alphanumeric order", as the specification says; equal words keep one order by their case. */
function inLexicalOrder(a: string, b: string): number {
  return compare(a.toLowerCase(), b.toLowerCase()) || compare(a, b);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
