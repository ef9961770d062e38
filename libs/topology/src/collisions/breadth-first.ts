import type { SearchBudget } from './search-budget.js';

export interface Move<State, Step> {
  readonly to: State;
  readonly step: Step;
}

export interface Search<State, Step> {
  readonly starts: readonly State[];
  readonly keyOf: (state: State) => string;
  readonly movesFrom: (state: State) => Iterable<Move<State, Step>>;
  readonly isGoal: (state: State) => boolean;
}

interface Visit<State, Step> {
  readonly state: State;
  readonly arrival?: { readonly from: Visit<State, Step>; readonly step: Step };
}

/** The steps of a shortest way to a goal; undefined when no goal can be reached. */
export function shortestWay<State, Step>(search: Search<State, Step>, budget: SearchBudget): Step[] | undefined {
  const seen = new Set<string>();
  const queue: Visit<State, Step>[] = [];
  const enter = (visit: Visit<State, Step>): void => {
    const key = search.keyOf(visit.state);
    if (seen.has(key)) return;
    seen.add(key);
    queue.push(visit);
  };
  for (const state of search.starts) enter({ state });
  for (const visit of queue) {
    budget.spend();
    if (search.isGoal(visit.state)) return stepsTo(visit);
    for (const { to, step } of search.movesFrom(visit.state)) enter({ state: to, arrival: { from: visit, step } });
  }
  return undefined;
}

function stepsTo<State, Step>(goal: Visit<State, Step>): Step[] {
  const steps: Step[] = [];
  for (let { arrival } = goal; arrival !== undefined; { arrival } = arrival.from) steps.push(arrival.step);
  return steps.reverse();
}
