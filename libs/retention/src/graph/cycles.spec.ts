import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { graphs } from '../invariants/random-repository.spec-helper.js';
import { cyclesOf, type Walk } from './cycles.js';

type Edge = readonly [from: number, to: number];

const size = 9;
const numbers = Array.from({ length: size }, (_, number) => number);
const someEdges = fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 14 });

function along(edges: readonly Edge[]): { readonly forth: Walk; readonly back: Walk } {
  return {
    forth: (number, visit) => edges.forEach(([from, to]) => from === number && visit(to)),
    back: (number, visit) => edges.forEach(([from, to]) => to === number && visit(from)),
  };
}

/** Found the slow way: what can be reached from it, and itself. */
function reachedFrom(start: number, edges: readonly Edge[]): ReadonlySet<number> {
  const reached = new Set([start]);
  for (const number of reached) for (const [from, to] of edges) if (from === number) reached.add(to);
  return reached;
}

describe('cyclesOf', () => {
  it('is equal of what leads to each other, and of nothing else', () => {
    fc.assert(
      fc.property(someEdges, (edges) => {
        const cycles = cyclesOf(numbers, along(edges), size);

        const reached = numbers.map((number) => reachedFrom(number, edges));
        const pairs = numbers.flatMap((one) => numbers.map((other): Edge => [one, other]));
        const alike = pairs.filter(([one, other]) => cycles[one] === cycles[other]);

        expect(alike).toEqual(pairs.filter(([one, other]) => reached[one]?.has(other) === true && reached[other]?.has(one) === true));
      }),
      graphs,
    );
  });

  it('leaves out what is not asked about', () => {
    expect([...cyclesOf([0, 2], along([[0, 2]]), 3)]).toEqual([0, -1, 2]);
  });

  it('follows a chain as long as a repository', () => {
    const length = 200_000;
    const ring: Walk = (number, visit) => visit((number + 1) % length);
    const back: Walk = (number, visit) => visit((number + length - 1) % length);

    const cycles = cyclesOf(
      Array.from({ length }, (_, number) => number),
      { forth: ring, back },
      length,
    );

    expect(new Set(cycles).size).toBe(1);
  });
});
