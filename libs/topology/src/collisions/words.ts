import type { Automaton } from '../automaton.js';
import { type CharacterSet, firstOf, noCharacter, setOf } from '../character-set.js';
import { type Move, shortestWay } from './breadth-first.js';
import type { SearchBudget } from './search-budget.js';

interface State {
  readonly at: number;
  /** How much of the word to avoid was spelled so far; undefined once the two differ. */
  readonly spelled: number | undefined;
}

/** A shortest word that the automaton takes and that is not `avoided`; undefined when there is none. */
export function wordOf(automaton: Automaton, budget: SearchBudget, avoided?: string): string | undefined {
  const way = shortestWay<State, string>(
    {
      starts: automaton.starts.map((at) => ({ at, spelled: avoided === undefined ? undefined : 0 })),
      keyOf: ({ at, spelled }) => `${at} ${spelled}`,
      isGoal: ({ at, spelled }) => automaton.accepts.has(at) && (spelled === undefined || spelled !== avoided?.length),
      movesFrom: (state) => movesFrom(automaton, state, avoided),
    },
    budget,
  );
  return way?.join('');
}

/** A word of each, two different ones; undefined when both take the same single word, or one takes none. */
export function differentWords(one: Automaton, other: Automaton, budget: SearchBudget): readonly [string, string] | undefined {
  const first = wordOf(one, budget);
  if (first === undefined) return undefined;
  const second = wordOf(other, budget, first);
  if (second !== undefined) return [first, second];
  const onlyWord = wordOf(other, budget);
  const instead = onlyWord === undefined ? undefined : wordOf(one, budget, onlyWord);
  return onlyWord === undefined || instead === undefined ? undefined : [instead, onlyWord];
}

function* movesFrom(automaton: Automaton, { at, spelled }: State, avoided: string | undefined): Iterable<Move<State, string>> {
  const next = spelled === undefined ? noCharacter : setOf(avoided?.charAt(spelled) ?? '');
  for (const { on, to } of automaton.edges[at] ?? []) {
    yield* move(on & next, { at: to, spelled: (spelled ?? 0) + 1 });
    yield* move(on & ~next, { at: to, spelled: undefined });
  }
}

function* move(on: CharacterSet, to: State): Iterable<Move<State, string>> {
  const step = firstOf(on);
  if (step !== undefined) yield { to, step };
}
