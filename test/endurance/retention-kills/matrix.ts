import { type Failpoint, formatFailpoint } from '../failpoints/failpoint.js';
import { notRetaining, retentionSteps } from '../failpoints/ports.js';
import type { QueueKind } from '../kills/world.js';
import type { KillCase, Undisturbed } from './play.js';
import type { SceneName } from './scenes.js';

/** What each of the scenes that are played leaves and comes to when nobody dies in it, in their order. */
export type Baselines = ReadonlyMap<SceneName, Undisturbed>;

/** Rounds that time alone decides how often they come: only their first is a place to die at. */
const rounds: readonly string[] = [
  'chain.linkPending',
  'leases.claimExecution',
  'leases.claimPlanning',
  'leases.renew',
  'requests.claimNext',
  'requests.renew',
  'ticks.take',
  'trash.claimLeaving',
  'trash.renew',
];

/**
 * One case for each moment that a scene comes to, but of what several come to only those of the first. What comes more than once is
 * met at its first or its middle time: one queue has the one, the other queue the other, in turns.
 */
export function casesOf(baselines: Baselines, queue: QueueKind): KillCase[] {
  return placesOf(baselines).map((place, position) => caseOf(place, { queue, isFirst: (position % 2 === 0) === (queue === 'redis') }));
}

/**
 * One case for each state in which a death can leave things, which is that after a step: what is there before a step is what the one
 * before it has left, and a transaction leaves nothing before its commit. Each is met on one queue, in turns: none carries retention.
 */
export function statesOf(baselines: Baselines, queues: readonly QueueKind[]): KillCase[] {
  const places = placesOf(baselines).filter(({ moment }) => moment.endsWith(':after'));
  return places.map((place, position) =>
    caseOf(place, { queue: queues[position % queues.length] ?? 'postgres', isFirst: position % 4 < 2 }),
  );
}

function caseOf({ scene, moment, count }: Place, { queue, isFirst }: { readonly queue: QueueKind; readonly isFirst: boolean }): KillCase {
  return { scene, queue, failpoint: failpointOf(moment, isFirst ? 1 : Math.ceil(count / 2)) };
}

interface Place {
  readonly scene: SceneName;
  readonly moment: string;
  /** How often the scene comes to it. */
  readonly count: number;
}

function placesOf(baselines: Baselines): Place[] {
  const known = new Set<string>();
  return [...baselines].flatMap(([scene, { reached }]) => {
    const counts = countsOf(reached.filter((moment) => retentionSteps.includes(stepOf(moment)) && !known.has(moment)));
    for (const moment of counts.keys()) known.add(moment);
    return [...counts].sort(([one], [other]) => (one < other ? -1 : 1)).map(([moment, count]) => ({ scene, moment, count }));
  });
}

/** Steps that no scene takes to their end, but those of which that is known: whoever adds a step adds a scene. */
export function neverTaken(baselines: Baselines): string[] {
  const taken = new Set(
    [...baselines.values()].flatMap(({ reached }) => reached.filter((moment) => moment.endsWith(':after')).map(stepOf)),
  );
  return retentionSteps.filter((step) => !taken.has(step) && notRetaining[step] === undefined);
}

export function titleOf({ scene, queue, failpoint }: KillCase): string {
  return `${queue.padEnd(8)} ${scene.padEnd(9)} ${formatFailpoint(failpoint)}`;
}

function stepOf(moment: string): string {
  return moment.slice(0, moment.indexOf(':'));
}

function failpointOf(reached: string, nth: number): Failpoint {
  const [step = '', moment] = reached.split(':');
  return { step, moment: moment as Failpoint['moment'], nth: rounds.includes(step) ? 1 : nth };
}

function countsOf(reached: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const moment of reached) counts.set(moment, (counts.get(moment) ?? 0) + 1);
  return counts;
}
