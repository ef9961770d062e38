import { describe, expect, it } from '@jest/globals';
import { visiblePage } from './visible-page.js';

/** The numbers from 1, of which only every `nth` may be seen. */
function listOf(length: number, nth = 1) {
  const all = Array.from({ length }, (_, index) => index + 1);
  const reads: number[] = [];
  return {
    reads,
    page: (limit: number, after?: number) =>
      visiblePage<number, number>({
        limit,
        after,
        read: (from = 0, count) => {
          const rows = all.filter((row) => row > from).slice(0, count);
          reads.push(rows.length);
          return Promise.resolve(rows);
        },
        positionOf: (row) => row,
        visible: (rows) => rows.filter((row) => row % nth === 0),
      }),
  };
}

describe('visiblePage', () => {
  it('is one read where everything may be seen', async () => {
    const list = listOf(5);

    expect(await list.page(2)).toEqual({ rows: [1, 2], next: 2 });
    expect(list.reads).toEqual([2]);
  });

  it('ends where the rows end', async () => {
    expect(await listOf(3).page(5)).toEqual({ rows: [1, 2, 3], next: undefined });
    expect(await listOf(0).page(5)).toEqual({ rows: [], next: undefined });
  });

  it('says that nothing follows only when it has looked', async () => {
    const list = listOf(2);

    expect(await list.page(2)).toEqual({ rows: [1, 2], next: 2 });
    expect(await list.page(2, 2)).toEqual({ rows: [], next: undefined });
  });

  it('reads past what is hidden', async () => {
    expect(await listOf(100, 10).page(3)).toEqual({ rows: [10, 20, 30], next: 30 });
  });

  it('stops after a thousand rows, and leads on', async () => {
    const list = listOf(5_000, 3_000);
    const first = await list.page(100);

    expect(first).toEqual({ rows: [], next: 1_000 });
    expect(list.reads).toHaveLength(10);
  });

  it('asks for many rows at once to fill a page of one', async () => {
    const list = listOf(5_000, 700);

    expect(await list.page(1)).toEqual({ rows: [700], next: 700 });
    expect(list.reads.length).toBeLessThanOrEqual(8);
  });

  it('leads on from a row that may be seen, not from a hidden one that was read with it', async () => {
    expect(await listOf(1_000, 7).page(2, 7)).toEqual({ rows: [14, 21], next: 21 });
  });

  it('gives every visible row once, page after page', async () => {
    const list = listOf(2_500, 7);
    const seen: number[] = [];
    let after: number | undefined;
    do {
      const { rows, next } = await list.page(11, after);
      seen.push(...rows);
      after = next;
    } while (after !== undefined);

    expect(seen).toEqual(Array.from({ length: Math.floor(2_500 / 7) }, (_, index) => (index + 1) * 7));
  });
});
