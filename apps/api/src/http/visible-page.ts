/** Rows read for one answer, however few of them the caller may see. */
const maxRowsRead = 1_000;

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
 * bound: then the page is shorter than its limit, and `next` leads on.
 */
export async function visiblePage<Row, Position>(reading: PageReading<Row, Position>): Promise<VisiblePage<Row, Position>> {
  const { limit, read, positionOf, visible } = reading;
  const rows: Row[] = [];
  let after = reading.after;
  for (let rowsRead = 0; rowsRead < maxRowsRead;) {
    const wanted = limit - rows.length;
    const batch = await read(after, wanted);
    rows.push(...(await visible(batch)));
    const last = batch.at(-1);
    if (last === undefined || batch.length < wanted) return { rows, next: undefined };
    after = positionOf(last);
    if (rows.length === limit) break;
    rowsRead += batch.length;
  }
  return { rows, next: after };
}
