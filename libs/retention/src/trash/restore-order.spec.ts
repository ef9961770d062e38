import { describe, expect, it } from '@jest/globals';
import { digestOf } from '@waybill/oci-model';
import fc from 'fast-check';
import { propertyRuns } from '@waybill/testing';
import { type Restorable, restoreOrder } from './restore-order.js';

const digestNamed = (name: string | number) => digestOf(Buffer.from(String(name)));

interface Named {
  readonly holds?: readonly string[];
  readonly refers?: readonly string[];
}

function entryOf(name: string, { holds = [], refers = [] }: Named = {}): Restorable & { readonly name: string } {
  return { name, digest: digestNamed(name), holds: [name, ...holds].map(digestNamed), refers: refers.map(digestNamed) };
}

describe('the order in which what was deleted comes back', () => {
  it('has children before what lists them, and subjects before what refers to them', () => {
    const entries = [
      entryOf('remark', { refers: ['signature'] }),
      entryOf('signature', { refers: ['index'] }),
      entryOf('index', { holds: ['inner', 'image'] }),
      entryOf('inner', { holds: ['image'] }),
      entryOf('image'),
    ];

    expect(restoreOrder(entries).map(({ name }) => name)).toEqual(['image', 'inner', 'index', 'signature', 'remark']);
  });

  it('does not wait for what is not to come back', () => {
    expect(restoreOrder([entryOf('signature', { refers: ['index'] })]).map(({ name }) => name)).toEqual(['signature']);
  });

  it('loses nothing that refers to each other in a circle', () => {
    const entries = [entryOf('one', { refers: ['two'] }), entryOf('two', { refers: ['one'] }), entryOf('apart')];

    expect(restoreOrder(entries)[0]?.name).toBe('apart');
    expect(new Set(restoreOrder(entries))).toEqual(new Set(entries));
  });

  it('keeps it on any graph, however it is told', () => {
    const graphs = fc.array(fc.record({ holds: fc.array(fc.nat(20)), refers: fc.array(fc.nat(20)) }), { minLength: 1, maxLength: 20 });
    const property = fc.property(graphs, fc.boolean(), (rows, isReversed) => {
      // Only what stands before is needed, so there is no circle.
      const entries = rows.map(({ holds, refers }, number): Restorable => {
        const before = (all: readonly number[]) => all.filter((other) => other < number).map(digestNamed);
        return { digest: digestNamed(number), holds: [digestNamed(number), ...before(holds)], refers: before(refers) };
      });
      const order = restoreOrder(isReversed ? [...entries].reverse() : entries);

      const places = new Map(order.map(({ digest }, place) => [digest, place]));
      expect(order).toEqual(restoreOrder(entries));
      expect(places.size).toBe(entries.length);
      for (const { digest, holds, refers } of entries) {
        for (const needed of [...holds, ...refers]) expect(places.get(needed)).toBeLessThanOrEqual(places.get(digest) ?? -1);
      }
    });

    fc.assert(property, { ...propertyRuns('WAYBILL_TEST_GRAPHS', 40), endOnFailure: true });
  });
});
