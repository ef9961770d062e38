import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { keptBy, plan, removedBy, Seen } from './naive.spec-helper.js';
import { graphs, situations } from './random-repository.spec-helper.js';

describe('invariant 13: one keep-set for retention and collection', () => {
  it('promises to free just what a collection may take: nothing that anything kept needs', () => {
    const shared = new Seen();

    fc.assert(
      fc.property(situations, (situation) => {
        const made = plan(situation);
        const { manifests } = situation.snapshot;
        const needed = new Set(
          manifests.filter(({ digest }) => keptBy(made).has(digest)).flatMap(({ blobs }) => [...blobs].map(({ id }) => id)),
        );
        const gone = manifests.filter(({ digest }) => removedBy(made).has(digest));
        const sizes = new Map(gone.flatMap(({ blobs }) => [...blobs].map(({ id, size }) => [id, size] as const)));
        const free = [...sizes].filter(([digest]) => !needed.has(digest)).reduce((sum, [, size]) => sum + size, 0);
        shared.note(gone.some(({ blobs }) => [...blobs].some(({ id }) => needed.has(id))));

        expect(made.reclaimableBytesAtMost).toBe(free + gone.reduce((sum, { size }) => sum + size, 0));
        expect(new Set(made.deletionOrder)).toEqual(removedBy(made));
      }),
      graphs,
    );

    expect(shared.count).toBeGreaterThan(0);
  });
});
