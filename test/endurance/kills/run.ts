// `npm run test:kills`: a worker is killed at every moment of every durable step, on both queues. What follows `--` are
// parts of titles; only cases that have one are played. `KILLS_SCENES` names scenes, separated by commas; only those are played.
import globalSetup from '../../global-setup.mjs';
import globalTeardown from '../../global-teardown.mjs';
import type { KillVerdict } from './kill-case.js';
import { type Baselines, casesOf, neverTaken, titleOf } from './matrix.js';
import { sceneNames } from './scenes.js';
import { Theatre } from './theatre.js';
import { type QueueKind, queueKinds } from './world.js';

/** More than processors: most of a case is waiting for a lease to end. */
const lanes = Number(process.env['KILLS_LANES'] ?? 6);
const wanted = process.argv.slice(2);
const scenes = sceneNames.filter((name) => process.env['KILLS_SCENES']?.split(',').includes(name) ?? true);

interface Outcome extends KillVerdict {
  readonly title: string;
}

async function play(theatre: Theatre, queue: QueueKind): Promise<{ readonly outcomes: readonly Outcome[]; readonly baselines: Baselines }> {
  const baselines = new Map(await Promise.all(scenes.map(async (scene) => [scene, await theatre.undisturbed(scene, queue)] as const)));
  const cases = casesOf(baselines, queue).filter((kill) => wanted.length === 0 || wanted.some((part) => titleOf(kill).includes(part)));
  const outcomes = await Promise.all(
    cases.map(async (kill): Promise<Outcome> => {
      const verdict = await theatre.kill(kill, baselines.get(kill.scene)!, queue);
      const outcome = { title: `${queue.padEnd(8)} ${titleOf(kill)}`, ...verdict };
      tell(outcome);
      return outcome;
    }),
  );
  return { outcomes, baselines };
}

function tell({ title, problems, orphanedUploads, ms }: Outcome): void {
  const verdict = problems.length === 0 ? 'equal' : `${problems.length} differences`;
  console.log(`${title.padEnd(64)} ${verdict.padEnd(16)} ${orphanedUploads} uploads left by the dead, ${(ms / 1_000).toFixed(1)} s`);
  for (const problem of problems) console.log(`    ${problem}`);
}

async function main(): Promise<void> {
  const begun = performance.now();
  await globalSetup();
  let theatre: Theatre | undefined;
  try {
    theatre = await Theatre.open(lanes);
    const results = [];
    for (const queue of queueKinds) results.push(await play(theatre, queue));
    const outcomes = results.flatMap((result) => result.outcomes);
    const failed = outcomes.filter(({ problems }) => problems.length > 0);
    const left = outcomes.reduce((sum, { orphanedUploads }) => sum + orphanedUploads, 0);
    // A slow machine can lead a scene past a step; on both queues it does not.
    const [untried = [], ...others] = results.map(({ baselines }) => neverTaken(baselines));
    const untriedAnywhere =
      scenes.length < sceneNames.length ? [] : untried.filter((step) => others.every((steps) => steps.includes(step)));
    for (const step of untriedAnywhere) console.error(`no scene takes the step ${step}`);
    const leftByNobody = results.flatMap(({ baselines }) =>
      [...baselines].flatMap(([scene, { uploads }]) => uploads.map((upload) => `${scene}: ${upload}`)),
    );
    for (const upload of leftByNobody) console.error(`left open though nobody died: ${upload}`);
    // Once more, where whoever reads the end of a log finds them.
    for (const outcome of failed) tell(outcome);
    console.log(`${outcomes.length} kills, ${failed.length} with differences, ${left} uploads left by the dead`);
    console.log(`${((performance.now() - begun) / 1_000).toFixed(0)} s`);
    if (failed.length > 0 || untriedAnywhere.length > 0 || leftByNobody.length > 0 || outcomes.length === 0) process.exitCode = 1;
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
