// `npm run test:retention-kills`: a worker is killed at every moment of every durable step of retention, on both queues. What follows
// `--` are parts of titles; only cases that have one are played. `KILLS_SCENES` names scenes, separated by commas, and `KILLS_QUEUES` queues;
// with `KILLS_TURNS=1` each moment is played on one of the queues, which carry nothing of retention.
import globalSetup from '../../global-setup.mjs';
import globalTeardown from '../../global-teardown.mjs';
import { type QueueKind, queueKinds } from '../kills/world.js';
import { type Baselines, casesOf, neverTaken, titleOf, turnsOf } from './matrix.js';
import type { KillCase, KillVerdict } from './play.js';
import { sceneNames } from './scenes.js';
import { Theatre } from './theatre.js';

/** More than processors: most of a case is waiting for a lease to end. */
const lanes = Number(process.env['KILLS_LANES'] ?? 8);
const wanted = process.argv.slice(2);
const scenes = namedIn('KILLS_SCENES', sceneNames);
const queues = namedIn('KILLS_QUEUES', queueKinds);
const isInTurns = process.env['KILLS_TURNS'] === '1';
/** Moments that have had their turn. */
const had = new Set<string>();

interface Outcome extends KillVerdict {
  readonly title: string;
}

function namedIn<Name extends string>(variable: string, names: readonly Name[]): readonly Name[] {
  return names.filter((name) => process.env[variable]?.split(',').includes(name) ?? true);
}

function isWanted(kill: KillCase): boolean {
  return wanted.length === 0 || wanted.some((part) => titleOf(kill).includes(part));
}

async function play(theatre: Theatre, queue: QueueKind): Promise<{ readonly outcomes: readonly Outcome[]; readonly baselines: Baselines }> {
  const baselines = new Map(await Promise.all(scenes.map(async (scene) => [scene, await theatre.undisturbed(scene, queue)] as const)));
  const all = casesOf(baselines, queue);
  const cases = isInTurns ? turnsOf(all, { isLast: queue === queues.at(-1), had }) : all;
  const outcomes = await Promise.all(
    cases.filter(isWanted).map(async (kill): Promise<Outcome> => {
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
    for (const queue of queues) results.push(await play(theatre, queue));
    const outcomes = results.flatMap((result) => result.outcomes);
    const failed = outcomes.filter(({ problems }) => problems.length > 0);
    const untried = scenes.length < sceneNames.length ? [] : results.flatMap(({ baselines }) => neverTaken(baselines));
    for (const step of new Set(untried)) console.error(`no scene takes the step ${step}`);
    const left = results.flatMap(({ baselines }) =>
      [...baselines].flatMap(([scene, { uploads }]) => uploads.map((upload) => `${scene}: ${upload}`)),
    );
    for (const upload of left) console.error(`left open though nobody died: ${upload}`);
    console.log(`${outcomes.length} kills, ${failed.length} with differences, in ${((performance.now() - begun) / 1_000).toFixed(0)} s`);
    if (failed.length > 0 || untried.length > 0 || left.length > 0 || outcomes.length === 0) process.exitCode = 1;
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
