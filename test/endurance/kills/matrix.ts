import { type Failpoint, formatFailpoint } from '../failpoints/failpoint.js';
import { notPromoting, steps } from '../failpoints/ports.js';
import type { KillCase, Undisturbed } from './kill-case.js';
import { type SceneName, sceneNames } from './scenes.js';
import type { QueueKind } from './world.js';

/** What each scene leaves and comes to when nobody dies in it. */
export type Baselines = Readonly<Record<SceneName, Undisturbed>>;

/** Rounds that time alone decides how often they come: only their first is a place to die at. */
const rounds: readonly string[] = ['chain.linkPending', 'held.wake', 'outbox.redispatchDue', 'records.renew'];

/** One case for each moment that the scenes come to, in the first scene that comes to it. */
export function casesOf(baselines: Baselines, queue: QueueKind): KillCase[] {
  const known = new Set<string>();
  return sceneNames.flatMap((scene) => {
    const cases = casesOfScene(scene, baselines[scene].reached, queue).filter(({ failpoint }) => !known.has(momentOf(failpoint)));
    for (const { failpoint } of cases) known.add(momentOf(failpoint));
    return cases;
  });
}

/**
 * One case for each moment that a scene comes to. What comes more than once is met at its first or its middle time:
 * one queue has the one, the other queue the other, in turns.
 */
export function casesOfScene(scene: SceneName, reached: readonly string[], queue: QueueKind): KillCase[] {
  const counts = [...countsOf(reached)].sort(([one], [other]) => (one < other ? -1 : 1));
  return counts.map(([moment, count], position): KillCase => {
    const isFirst = (position % 2 === 0) === (queue === 'redis');
    return { scene, failpoint: failpointOf(moment, isFirst ? 1 : Math.ceil(count / 2)) };
  });
}

/** Steps that no scene takes, but those of which that is known: whoever adds a step adds a scene. */
export function neverTaken(baselines: Baselines): string[] {
  const taken = new Set(sceneNames.flatMap((scene) => baselines[scene].reached.map((moment) => moment.split(':')[0])));
  return steps.filter((step) => !taken.has(step) && notPromoting[step] === undefined);
}

export function titleOf({ scene, failpoint }: KillCase): string {
  return `${scene.padEnd(9)} ${formatFailpoint(failpoint)}`;
}

function momentOf({ step, moment }: Failpoint): string {
  return `${step}:${moment}`;
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
