import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { drawTable } from '../output/table.js';

export interface ListingOptions {
  /** How many rows to show. */
  readonly limit: number;
  /** Every row, page by page as they come. */
  readonly all: boolean;
  readonly json: boolean;
}

/** How a list is shown. */
export interface Listing<Page, Item> {
  readonly head: readonly string[];
  /** What the page calls its rows. */
  readonly name: string & keyof Page;
  readonly itemsOf: (page: Page) => readonly Item[];
  readonly rowOf: (item: Item) => readonly string[];
  /** What is to be known before the rows. */
  readonly notesOn?: (page: Page) => readonly string[];
  /** What is said instead of a table without rows. */
  readonly empty: string;
}

const maxPage = 200;

/** The size of page that is asked for. */
export function pageSize({ limit, all }: ListingOptions): string {
  return String(all ? maxPage : Math.min(limit, maxPage));
}

/** Shows a list, of which short pages are followed; gives the exit status. With `all` nothing is held but one page. */
export async function printListing<Page extends { readonly next?: string | undefined }, Item>(
  pages: AsyncIterable<Page>,
  listing: Listing<Page, Item>,
  options: ListingOptions,
  output: Output,
): Promise<number> {
  if (options.all) await printAll(pages, listing, options, output);
  else await printSome(pages, listing, options, output);
  return exitStatus.succeeded;
}

async function printAll<Page, Item>(
  pages: AsyncIterable<Page>,
  { head, itemsOf, rowOf, notesOn, empty }: Listing<Page, Item>,
  { json }: ListingOptions,
  output: Output,
): Promise<void> {
  let shown = 0;
  let isFirst = true;
  for await (const page of pages) {
    const items = itemsOf(page);
    if (json) for (const item of items) output.jsonLine(item);
    else {
      if (isFirst) for (const note of notesOn?.(page) ?? []) output.line(note);
      if (items.length > 0) output.line(drawTable(shown === 0 ? head : [], items.map(rowOf)));
    }
    shown += items.length;
    isFirst = false;
  }
  if (shown === 0 && !json) output.line(empty);
}

async function printSome<Page extends { readonly next?: string | undefined }, Item>(
  pages: AsyncIterable<Page>,
  { head, name, itemsOf, rowOf, notesOn, empty }: Listing<Page, Item>,
  { limit, json }: ListingOptions,
  output: Output,
): Promise<void> {
  const items: Item[] = [];
  let first: Page | undefined;
  let hasMore = false;
  for await (const page of pages) {
    first ??= page;
    items.push(...itemsOf(page));
    hasMore = items.length > limit || page.next !== undefined;
    if (items.length >= limit) break;
  }
  const shown = items.slice(0, limit);
  if (json) {
    const { next: _next, ...about } = first ?? { next: undefined };
    output.json({ ...about, [name]: shown, hasMore });
    return;
  }
  if (first !== undefined) for (const note of notesOn?.(first) ?? []) output.line(note);
  output.line(shown.length === 0 ? empty : drawTable(head, shown.map(rowOf)));
  if (hasMore) output.line('there are more: see --limit and --all');
}
