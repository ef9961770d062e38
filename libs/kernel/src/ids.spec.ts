import { describe, expect, it } from '@jest/globals';
import { uuidV7 } from './ids.js';

/** RFC 9562 section 5.7: the first 48 bits are milliseconds since 1970. */
function millisecondsOf(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
}

describe('uuidV7', () => {
  it('makes UUIDs of version 7 and the variant of RFC 9562', () => {
    expect(uuidV7.next()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('begins each with the time it was made', () => {
    const before = Date.now();
    const id = uuidV7.next();
    const after = Date.now();

    expect(millisecondsOf(id)).toBeGreaterThanOrEqual(before);
    expect(millisecondsOf(id)).toBeLessThanOrEqual(after);
  });

  it('makes ids that sort as text in the order they were made, also within a millisecond', () => {
    const ids = Array.from({ length: 20_000 }, () => uuidV7.next());

    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ids);
  });
});
