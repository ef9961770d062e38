import type { Automaton, Edge } from '../automaton.js';
import { lowerAlphanumeric, noCharacter, setOf, slash } from '../character-set.js';
import type { SearchBudget } from './search-budget.js';

const letter = lowerAlphanumeric;
const [begin, word, dot, underscore, twoUnderscores, dashes] = [0, 1, 2, 3, 4, 5] as const;

/** Repository names (distribution-spec v1.1.1, "Pulling manifests"), apart from their length. */
const repositoryNames: Automaton = {
  starts: [begin],
  accepts: new Set([word]),
  edges: [
    [{ on: letter, to: word }],
    [
      { on: letter, to: word },
      { on: slash, to: begin },
      { on: setOf('.'), to: dot },
      { on: setOf('_'), to: underscore },
      { on: setOf('-'), to: dashes },
    ],
    [{ on: letter, to: word }],
    [
      { on: letter, to: word },
      { on: setOf('_'), to: twoUnderscores },
    ],
    [{ on: letter, to: word }],
    [
      { on: letter, to: word },
      { on: setOf('-'), to: dashes },
    ],
  ],
};

/**
 * The names among what an automaton takes: globs also match texts that no repository can have.
 * Only states that can be reached are made, each a step of the budget.
 */
export function namesIn(automaton: Automaton, budget: SearchBudget): Automaton {
  const numbers = new Map<string, number>();
  const states: (readonly [number, number])[] = [];
  const numberOf = (state: number, name: number): number => {
    const key = `${state} ${name}`;
    const known = numbers.get(key) ?? states.push([state, name]) - 1;
    numbers.set(key, known);
    return known;
  };
  const starts = automaton.starts.map((start) => numberOf(start, begin));
  const edges: Edge[][] = [];
  for (const [state, name] of states) {
    budget.spend();
    edges.push(sharedEdges(automaton.edges[state] ?? [], repositoryNames.edges[name] ?? [], numberOf));
  }
  const accepts = states.flatMap(([state, name], number) => (automaton.accepts.has(state) && name === word ? [number] : []));
  return { starts, edges, accepts: new Set(accepts) };
}

function sharedEdges(ones: readonly Edge[], others: readonly Edge[], numberOf: (one: number, other: number) => number): Edge[] {
  return ones.flatMap((one) =>
    others.flatMap((other) => {
      const on = one.on & other.on;
      return on === noCharacter ? [] : [{ on, to: numberOf(one.to, other.to) }];
    }),
  );
}
