import { type CharacterSet, noCharacter, setOf } from './character-set.js';

export interface Edge {
  readonly on: CharacterSet;
  readonly to: number;
}

/** A nondeterministic automaton without empty moves: state `n` has the edges `edges[n]`. */
export interface Automaton {
  readonly edges: readonly (readonly Edge[])[];
  readonly starts: readonly number[];
  readonly accepts: ReadonlySet<number>;
}

/** Does the automaton take the whole text? Linear in the text for a given automaton. */
export function accepts(automaton: Automaton, text: string): boolean {
  let states: ReadonlySet<number> = new Set(automaton.starts);
  for (const character of text) {
    if (states.size === 0) return false;
    states = step(automaton, states, setOf(character));
  }
  return [...states].some((state) => automaton.accepts.has(state));
}

function step(automaton: Automaton, states: ReadonlySet<number>, character: CharacterSet): ReadonlySet<number> {
  const next = new Set<number>();
  for (const state of states) {
    for (const edge of automaton.edges[state] ?? []) {
      if ((edge.on & character) !== noCharacter) next.add(edge.to);
    }
  }
  return next;
}
