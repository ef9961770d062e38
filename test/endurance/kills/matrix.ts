import { type Failpoint, formatFailpoint } from '../failpoints/failpoint.js';
import { notPromoting, steps } from '../failpoints/ports.js';
import type { KillCase, Undisturbed } from './kill-case.js';
import type { Scene } from './scene.js';
import { type SceneName, sceneNames, scenes } from './scenes.js';
import type { QueueKind } from './world.js';

/** What each of the scenes that are played leaves and comes to when nobody dies in it, in their order. */
export type Baselines = ReadonlyMap<SceneName, Undisturbed>;

/** Rounds that time alone decides how often they come: only their first is a place to die at. */
const rounds: readonly string[] = ['chain.linkPending', 'held.wake', 'outbox.redispatchDue', 'records.renew'];

/** Steps that belong to one scene, and the scene. */
const owners: ReadonlyMap<string, SceneName> = new Map(
  sceneNames.flatMap((name) => (sceneOf(name).itsOwn ?? []).map((step) => [step, name])),
);

/** The cases of all scenes; but of what several come to, only those of the first one and those that lead out of another. */
export function casesOf(baselines: Baselines, queue: QueueKind): KillCase[] {
  const known = new Set<string>();
  return [...baselines].flatMap(([scene, { reached }]) => {
    const cases = casesOfScene(scene, reached, queue).filter(({ failpoint }) => !known.has(momentOf(failpoint)));
    for (const { failpoint } of cases) known.add(momentOf(failpoint));
    return [...cases, ...lastCasesOfScene(scene, reached)];
  });
}

/**
 * One case for each moment that a scene comes to, but those that belong to another scene or are this one's last. What comes
 * more than once is met at its first or its middle time: one queue has the one, the other queue the other, in turns.
 */
export function casesOfScene(scene: SceneName, reached: readonly string[], queue: QueueKind): KillCase[] {
  const { itsLast = {} } = sceneOf(scene);
  const counts = [...countsOf(reached)].sort(([one], [other]) => (one < other ? -1 : 1));
  const wanted = counts.filter(([moment]) => (owners.get(stepOf(moment)) ?? scene) === scene && itsLast[stepOf(moment)] === undefined);
  return wanted.map(([moment, count], position): KillCase => {
    const isFirst = (position % 2 === 0) === (queue === 'redis');
    return { scene, failpoint: failpointOf(moment, isFirst ? 1 : Math.ceil(count / 2)) };
  });
}

/** One case for each of the last times that a scene comes to what leads out of it. */
export function lastCasesOfScene(scene: SceneName, reached: readonly string[]): KillCase[] {
  const { itsLast = {} } = sceneOf(scene);
  return [...countsOf(reached)].sort().flatMap(([moment, count]) => {
    const wanted = Math.min(itsLast[stepOf(moment)] ?? 0, count);
    return Array.from({ length: wanted }, (_, index): KillCase => ({ scene, failpoint: failpointOf(moment, count - index) }));
  });
}

/** Steps that no scene takes to their end, but those of which that is known: whoever adds a step adds a scene. */
export function neverTaken(baselines: Baselines): string[] {
  const taken = new Set(
    [...baselines.values()].flatMap(({ reached }) => reached.filter((moment) => moment.endsWith(':after')).map(stepOf)),
  );
  return steps.filter((step) => !taken.has(step) && notPromoting[step] === undefined);
}

export function titleOf({ scene, failpoint }: KillCase): string {
  return `${scene.padEnd(9)} ${formatFailpoint(failpoint)}`;
}

function sceneOf(name: SceneName): Scene {
  return scenes[name];
}

function stepOf(moment: string): string {
  return moment.slice(0, moment.indexOf(':'));
}

function momentOf({ step, moment }: Failpoint): string {
  return `${step}:${moment}`;
}

function failpointOf(reached: string, nth: number): Failpoint {
  const [step = '', moment] = reached.split(':');
  return { step, moment: moment as Failpoint['moment'], nth: rounds.includes(step) || owners.has(step) ? 1 : nth };
}

function countsOf(reached: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const moment of reached) counts.set(moment, (counts.get(moment) ?? 0) + 1);
  return counts;
}
