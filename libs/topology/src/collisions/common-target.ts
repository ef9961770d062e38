import { firstOf } from '../character-set.js';
import { type Move, shortestWay } from './breadth-first.js';
import type { SearchBudget } from './search-budget.js';
import type { Origin, TargetEdge, TargetNames } from './target-names.js';

/** A name that both make, and what of it came from which part of either source. */
export interface CommonTarget {
  readonly target: string;
  readonly one: TakenParts;
  readonly other: TakenParts;
}

export interface TakenParts {
  readonly namespace: string;
  readonly name: string;
}

interface State {
  readonly one: number;
  readonly other: number;
}

interface Step {
  readonly character: string;
  readonly one: Origin;
  readonly other: Origin;
}

/** A shortest name that both can make; undefined when they can never make the same. */
export function commonTarget(one: TargetNames, other: TargetNames, budget: SearchBudget): CommonTarget | undefined {
  const way = shortestWay<State, Step>(
    {
      starts: [{ one: one.start, other: other.start }],
      keyOf: (state) => `${state.one} ${state.other}`,
      isGoal: (state) => one.accepts.has(state.one) && other.accepts.has(state.other),
      movesFrom: (state) => movesFrom(one.edges[state.one] ?? [], other.edges[state.other] ?? []),
    },
    budget,
  );
  if (way === undefined) return undefined;
  return {
    target: way.map(({ character }) => character).join(''),
    one: takenParts(way.map((step) => ({ character: step.character, origin: step.one }))),
    other: takenParts(way.map((step) => ({ character: step.character, origin: step.other }))),
  };
}

function* movesFrom(ones: readonly TargetEdge[], others: readonly TargetEdge[]): Iterable<Move<State, Step>> {
  for (const one of ones) {
    for (const other of others) {
      const character = firstOf(one.on & other.on);
      if (character === undefined) continue;
      yield { to: { one: one.to, other: other.to }, step: { character, one: one.origin, other: other.origin } };
    }
  }
}

function takenParts(characters: readonly { readonly character: string; readonly origin: Origin }[]): TakenParts {
  const taken = (part: Origin): string =>
    characters
      .filter(({ origin }) => origin === part)
      .map(({ character }) => character)
      .join('');
  return { namespace: taken('namespace'), name: taken('name') };
}
