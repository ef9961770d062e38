import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { childLinks, keptBy, plan, reachable, removedBy, Seen } from './naive.spec-helper.js';
import { graphs, situations } from './random-repository.spec-helper.js';

describe('invariant 1: nothing goes that a kept index lists', () => {
  it('however deep, and whoever else lists it', () => {
    const shared = new Seen();

    fc.assert(
      fc.property(situations, (situation) => {
        const made = plan(situation);
        const needed = reachable(keptBy(made), childLinks(situation.snapshot));
        const gone = [...removedBy(made)];
        shared.note(gone.some((digest) => childLinks(situation.snapshot).some(({ from, to }) => from === digest && needed.has(to))));

        expect(gone.filter((digest) => needed.has(digest))).toEqual([]);
      }),
      graphs,
    );

    // Indexes went whose children had to stay.
    expect(shared.count).toBeGreaterThan(0);
  });
});
