import type { Automaton, Edge } from '../automaton.js';
import { noCharacter, slash } from '../character-set.js';

/** Names of which every namespace goes with every last segment. */
export interface SplitNames {
  /** Undefined for names of one segment. */
  readonly namespace: Automaton | undefined;
  readonly name: Automaton;
}

/**
 * Cuts a set of names at the last slash. A name is read through some edge on that slash;
 * what may come before the edge and what may follow it are independent of each other, so
 * the set is the union, over the edges' ends, of such pairs.
 */
export function splitNames(names: Automaton): SplitNames[] {
  const withinSegment = names.edges.map((edges) => edges.map(withoutSlash).filter(({ on }) => on !== noCharacter));
  const behindSlash = new Set(names.edges.flatMap((edges) => edges.filter(isOnSlash).map(({ to }) => to)));
  const nested = [...behindSlash].map((start): SplitNames => {
    const before = names.edges.flatMap((edges, state) => (edges.some((edge) => isOnSlash(edge) && edge.to === start) ? [state] : []));
    return { namespace: { ...names, accepts: new Set(before) }, name: { ...names, edges: withinSegment, starts: [start] } };
  });
  return [{ namespace: undefined, name: { ...names, edges: withinSegment } }, ...nested];
}

function withoutSlash({ on, to }: Edge): Edge {
  return { on: on & ~slash, to };
}

function isOnSlash({ on }: Edge): boolean {
  return (on & slash) !== noCharacter;
}
