import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack } from '../../../apps/cli/src/up/stack.js';
import { type Failpoint, formatFailpoint } from '../failpoints/failpoint.js';
import { failpointVariable, leftOutVariable, reachedFileVariable } from '../failpoints/variables.js';
import { differenceOf } from '../kills/difference.js';
import type { QueueKind } from '../kills/world.js';
import { type Environment, type SourceProcess, startSource } from '../source-process.js';
import type { Scene } from './scene.js';
import { type SceneName, scenes } from './scenes.js';
import { type Remains, Stage, type StageOptions } from './stage.js';

const toldChars = 2_000;

export interface KillCase {
  readonly scene: SceneName;
  readonly queue: QueueKind;
  readonly failpoint: Failpoint;
}

export type Place = Omit<StageOptions, 'scene'>;

/** What a scene leaves when nobody dies in it. */
export interface Undisturbed extends Remains {
  /** The moments that its worker came to, `step:moment`, each as often as it did. */
  readonly reached: readonly string[];
}

export interface KillVerdict {
  /** What is wrong, one line each; nothing when all is as if nobody had died. */
  readonly problems: readonly string[];
  /** Whether the first worker died where it should. */
  readonly wasKilled: boolean;
  /** Upload sessions that the dead worker left at the registries: nobody else knows them (ADR 20). */
  readonly orphanedUploads: number;
  readonly ms: number;
}

/** Plays a scene to its end with a worker that nobody kills; `leftOut` are steps that it passes over. */
export async function playUndisturbed(name: SceneName, place: Place, leftOut: readonly string[] = []): Promise<Undisturbed> {
  const scene: Scene = scenes[name];
  const { survivors } = place.lane;
  const folder = await mkdtemp(join(tmpdir(), 'waybill-reached-'));
  const file = join(folder, 'reached');
  const stage = await Stage.set({ ...place, scene });
  const worker = startWorker({ ...stage.environment, [reachedFileVariable]: file, [leftOutVariable]: leftOut.join() });
  try {
    await scene.disturb(stage, worker);
    // Where the scene ends its first worker, another one goes on.
    if (worker.hasEnded()) await survivors.start(stage.environment);
    await untilOver(stage, () => (worker.hasEnded() ? survivors : worker).log());
    const reached = (await readFile(file, 'utf8')).trimEnd().split('\n');
    const { uploads, ...remains } = await stage.remains();
    return { ...remains, uploads: uploads.filter((upload) => !stage.wasGivenUp(upload)), reached };
  } finally {
    await worker.kill();
    await survivors.end();
    await stage.clear();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Plays a scene whose first worker dies at the failpoint and a second one goes on; compares what is left. */
export async function playKill({ scene: name, failpoint }: KillCase, expected: Remains, place: Place): Promise<KillVerdict> {
  const scene: Scene = scenes[name];
  const { survivors } = place.lane;
  const begun = performance.now();
  const stack = new Stack();
  let wasKilled = false;
  try {
    const stage = await Stage.set({ ...place, scene });
    stack.push(() => stage.clear());
    const victim = startWorker({ ...stage.environment, [failpointVariable]: formatFailpoint(failpoint) });
    stack.push(() => victim.kill());
    const disturbed = scene.disturb(stage, victim);
    // Waited for below, unless the case fails before.
    disturbed.catch(() => undefined);
    await untilKilled(stage, victim);
    wasKilled = true;
    await stage.writesDone();
    const left = await stage.uploads();
    stack.push(() => survivors.end());
    await survivors.start(stage.environment);
    await disturbed;
    await untilOver(stage, () => survivors.log());
    const remains = await stage.remains();
    const own = remains.uploads.filter((upload) => !left.includes(upload) && !stage.wasGivenUp(upload));
    const problems = [...differenceOf(expected.lines, remains.lines), ...own.map((upload) => `left open by the second worker: ${upload}`)];
    return {
      problems,
      wasKilled,
      orphanedUploads: left.filter((upload) => remains.uploads.includes(upload)).length,
      ms: performance.now() - begun,
    };
  } catch (error) {
    return { problems: [reasonOf(error)], wasKilled, orphanedUploads: 0, ms: performance.now() - begun };
  } finally {
    await stack.unwind();
  }
}

/** The worker that has failpoints, also in what it does for retention. */
function startWorker(env: Environment): SourceProcess {
  return startSource('test/endurance/failpoints/retention-worker.ts', env);
}

async function untilKilled(stage: Stage, victim: SourceProcess): Promise<void> {
  await told(victim.log, () => stage.until('the worker has ended', () => victim.hasEnded()));
  const end = await victim.ended;
  if (end !== 'SIGKILL') throw new Error(`the worker never came to its failpoint (${end}):\n${victim.log().slice(-toldChars)}`);
}

function untilOver(stage: Stage, log: () => string): Promise<void> {
  return told(log, () => stage.until('nothing is left to do', () => stage.isOver()));
}

/** What a worker said is told with what it did not do. */
async function told(log: () => string, wait: () => Promise<void>): Promise<void> {
  try {
    await wait();
  } catch (cause) {
    throw new Error(`${reasonOf(cause)}:\n${log().slice(-toldChars)}`, { cause });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
