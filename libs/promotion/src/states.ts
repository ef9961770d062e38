/** The states of one item at one target (DESIGN section 4). */
export const itemTargetStates = ['pending', 'copying', 'verifying', 'attesting', 'tagging', 'done'] as const;
export type ItemTargetState = (typeof itemTargetStates)[number];

/** How one item ended at one target; set exactly when its state is `done`. */
export const outcomes = ['copied', 'mounted', 'already-present', 'conflict', 'failed', 'superseded', 'cancelled'] as const;
export type Outcome = (typeof outcomes)[number];

export const promotionStates = [
  'requested',
  'waiting',
  'running',
  'succeeded',
  'partial',
  'failed',
  'rejected',
  'cancelled',
  'superseded',
] as const;
export type PromotionState = (typeof promotionStates)[number];

/** `to` decides success; replications of it are best-effort. */
export type Requirement = 'required' | 'best-effort';

export type TransitionTable<State extends string> = Readonly<Record<State, readonly State[]>>;

/**
 * From every state on the way, `pending` is the way of a retry, `copying` that of a
 * worker that takes over from one that died, and `done` that of any end.
 */
export const itemTargetTransitions: TransitionTable<ItemTargetState> = {
  pending: ['copying', 'done'],
  copying: ['copying', 'verifying', 'pending', 'done'],
  verifying: ['copying', 'attesting', 'pending', 'done'],
  attesting: ['copying', 'tagging', 'pending', 'done'],
  tagging: ['copying', 'tagging', 'pending', 'done'],
  done: [],
};

/** The states from which `to` may be entered. */
export function statesBefore<State extends string>(table: TransitionTable<State>, to: State): State[] {
  return (Object.keys(table) as State[]).filter((from) => table[from].includes(to));
}

/**
 * Checked at start-up: every state can be reached from `start`, and from every
 * state the `end` can be reached, so that nothing can get stuck by construction.
 * Gives the mistakes in words; none means the table is sound.
 */
export function mistakesOf<State extends string>(table: TransitionTable<State>, start: State, end: State): string[] {
  const states = Object.keys(table) as State[];
  const reached = reachableFrom(table, start);
  return [
    ...states.filter((state) => !reached.has(state)).map((state) => `"${state}" cannot be reached from "${start}"`),
    ...states.filter((state) => !reachableFrom(table, state).has(end)).map((state) => `"${end}" cannot be reached from "${state}"`),
    ...states.flatMap((state) =>
      table[state].filter((next) => !Object.hasOwn(table, next)).map((next) => `"${state}" leads to "${next}", which is no state`),
    ),
    ...(followersOf(table, end).length > 0 ? [`"${end}" is an end and leads on`] : []),
  ];
}

function reachableFrom<State extends string>(table: TransitionTable<State>, start: State): Set<State> {
  const seen = new Set([start]);
  for (const state of seen) for (const next of followersOf(table, state)) seen.add(next);
  return seen;
}

/** A broken table may lead to a state that it does not have. */
function followersOf<State extends string>(table: TransitionTable<State>, state: State): readonly State[] {
  return Object.hasOwn(table, state) ? table[state] : [];
}
