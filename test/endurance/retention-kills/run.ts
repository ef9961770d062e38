// `npm run test:retention-kills`: a worker is killed at every moment of every durable step of retention, on both queues. What follows
// `--` are parts of titles; only cases that have one are played. `KILLS_SCENES` names scenes, separated by commas, and `KILLS_QUEUES` queues;
// with `KILLS_QUICK=1` each state in which a death can leave things is played once.
import globalSetup from '../../global-setup.mjs';
import globalTeardown from '../../global-teardown.mjs';
import { queueKinds } from '../kills/world.js';
import { type Baselines, casesOf, neverTaken, statesOf, titleOf } from './matrix.js';
import type { KillCase, KillVerdict } from './play.js';
import { type SceneName, sceneNames } from './scenes.js';
import { Theatre } from './theatre.js';

/** More than processors: most of a case is waiting for a lease to end. */
const lanes = Number(process.env['KILLS_LANES'] ?? 8);
const wanted = process.argv.slice(2);
const scenes = namedIn('KILLS_SCENES', sceneNames);
const queues = namedIn('KILLS_QUEUES', queueKinds);
const isQuick = process.env['KILLS_QUICK'] === '1';

interface Outcome extends KillVerdict {
  readonly title: string;
}

function namedIn<Name extends string>(variable: string, names: readonly Name[]): readonly Name[] {
  return names.filter((name) => process.env[variable]?.split(',').includes(name) ?? true);
}

/** What is left when nobody dies, on one queue for each scene in turns: the queue makes no difference. */
async function undisturbed(theatre: Theatre): Promise<Baselines> {
  const play = async (scene: SceneName, index: number) =>
    [scene, await theatre.undisturbed(scene, queues[index % queues.length] ?? 'postgres')] as const;
  return new Map(await Promise.all(scenes.map(play)));
}

function programme(baselines: Baselines): KillCase[] {
  const cases = isQuick ? statesOf(baselines, queues) : queues.flatMap((queue) => casesOf(baselines, queue));
  console.log(`${baselines.size} scenes have ${cases.length} cases`);
  return cases.filter((kill) => wanted.length === 0 || wanted.some((part) => titleOf(kill).includes(part)));
}

async function kill(theatre: Theatre, baselines: Baselines): Promise<Outcome[]> {
  return Promise.all(
    programme(baselines).map(async (one): Promise<Outcome> => {
      const outcome = { title: titleOf(one), ...(await theatre.kill(one, baselines.get(one.scene)!)) };
      tell(outcome);
      return outcome;
    }),
  );
}

function tell({ title, problems, orphanedUploads, ms }: Outcome): void {
  const verdict = problems.length === 0 ? 'equal' : `${problems.length} differences`;
  console.log(`${title.padEnd(64)} ${verdict.padEnd(16)} ${orphanedUploads} uploads left by the dead, ${(ms / 1_000).toFixed(1)} s`);
  for (const problem of problems) console.log(`    ${problem}`);
}

/** Whether anything is wrong. */
async function play(theatre: Theatre): Promise<boolean> {
  const baselines = await undisturbed(theatre);
  const untried = scenes.length < sceneNames.length ? [] : neverTaken(baselines);
  for (const step of untried) console.error(`no scene takes the step ${step}`);
  const left = [...baselines].flatMap(([scene, { uploads }]) => uploads.map((upload) => `${scene}: ${upload}`));
  for (const upload of left) console.error(`left open though nobody died: ${upload}`);
  const outcomes = await kill(theatre, baselines);
  const failed = outcomes.filter(({ problems }) => problems.length > 0);
  console.log(`${outcomes.length} kills, ${failed.length} with differences`);
  return failed.length + untried.length + left.length > 0 || outcomes.length === 0;
}

async function main(): Promise<void> {
  const begun = performance.now();
  await globalSetup();
  let theatre: Theatre | undefined;
  try {
    theatre = await Theatre.open(lanes);
    if (await play(theatre)) process.exitCode = 1;
    console.log(`${((performance.now() - begun) / 1_000).toFixed(0)} s`);
  } catch (error) {
    // Before everything is taken away from those that play still.
    console.error(error);
    process.exitCode = 1;
  } finally {
    await theatre?.close();
    await globalTeardown();
  }
}

await main();
