/** Rows read for one answer, however few of them the caller may see. */
const maxRowsRead = 1_000;
/** Where rows are hidden, more than the answer needs are read at once: a small page asks the database no oftener than a large one. */
const minFurtherRows = 100;

export interface PageReading<Row, Position> {
  /** Most rows in the answer. */
  readonly limit: number;
  readonly after: Position | undefined;
  /** Reads at most `limit` rows that follow `after`. */
  readonly read: (after: Position | undefined, limit: number) => Promise<readonly Row[]>;
  readonly positionOf: (row: Row) => Position;
  /** Those of the rows that the caller may see. */
  readonly visible: (rows: readonly Row[]) => Promise<readonly Row[]> | readonly Row[];
}

export interface VisiblePage<Row, Position> {
  readonly rows: readonly Row[];
  /** Where the next page begins; undefined after the last row. */
  readonly next: Position | undefined;
}

/**
 * A page of those rows that the caller may see. Rows that are hidden are read past, up to a
 * bound: then the page is shorter than its limit, and `next` leads on from the last row that
 * was read, the only case in which it may name a hidden one.
 */
export async function visiblePage<Row, Position>(reading: PageReading<Row, Position>): Promise<VisiblePage<Row, Position>> {
  const { limit, read, positionOf, visible } = reading;
  const rows: Row[] = [];
  let after = reading.after;
  let size = limit;
  for (let rowsRead = 0; rowsRead < maxRowsRead; rowsRead += size, size = Math.max(limit, minFurtherRows)) {
    const batch = await read(after, size);
    rows.push(...(await visible(batch)));
    const lastShown = rows[limit - 1];
    if (lastShown !== undefined) return { rows: rows.slice(0, limit), next: positionOf(lastShown) };
    const last = batch.at(-1);
    if (last === undefined || batch.length < size) return { rows, next: undefined };
    after = positionOf(last);
  }
  return { rows, next: after };
}
