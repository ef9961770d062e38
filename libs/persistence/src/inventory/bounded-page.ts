/**
 * So many rows are looked at for one page, whatever a filter leaves of them. Then the page is shorter than it may be, and leads on
 * from the last row that was looked at.
 */
export const maxLookedAt = 1_000;

export interface BoundedPage<Row, Position> {
  readonly rows: readonly Row[];
  /** Where the next page begins; undefined after the last row. */
  readonly next: Position | undefined;
}

export interface BoundedReading<Row, Position> {
  /** Most rows of the page. */
  readonly limit: number;
  /** Reads rows that the filter leaves, at most so many, of the first `maxLookedAt`. */
  readonly read: (limit: number) => Promise<readonly Row[]>;
  readonly positionOf: (row: Row) => Position;
  /** Of the row at `maxLookedAt`; undefined when there are fewer. */
  readonly lastLookedAt: () => Promise<Position | undefined>;
}

export async function readBoundedPage<Row, Position>(reading: BoundedReading<Row, Position>): Promise<BoundedPage<Row, Position>> {
  const { limit, read, positionOf, lastLookedAt } = reading;
  const rows = await read(limit + 1);
  const last = rows[limit - 1];
  if (rows.length > limit && last !== undefined) return { rows: rows.slice(0, limit), next: positionOf(last) };
  return { rows, next: await lastLookedAt() };
}

/** One page of rows from several ranges that follow each other. */
export async function readRanges<Range, Row, Position>(
  ranges: readonly Range[],
  limit: number,
  reading: (range: Range, limit: number) => BoundedReading<Row, Position>,
): Promise<BoundedPage<Row, Position>> {
  const rows: Row[] = [];
  for (const [at, range] of ranges.entries()) {
    const { positionOf, ...read } = reading(range, limit - rows.length);
    const page = await readBoundedPage({ positionOf, ...read });
    rows.push(...page.rows);
    if (page.next !== undefined) return { rows, next: page.next };
    const last = rows[limit - 1];
    if (last !== undefined) return { rows, next: at < ranges.length - 1 ? positionOf(last) : undefined };
  }
  return { rows, next: undefined };
}
