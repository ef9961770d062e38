import type { RetentionRun } from '@waybill/contracts/http';
import { each } from './each.js';
import { brokenReleases, leftOf } from './look.js';
import { lanesOf } from './promotions.js';
import { Pursuit } from './pursuit.js';
import type { Scenery } from './scenery.js';
import type { Stage } from './story.js';

/**
 * How a condemned image meets promotions while the policy acts: not at all; its promotion was accepted before and cannot go on;
 * it is promoted again and again; or in the very moment that its repository loses the first manifest.
 * Of two promotions to one tag the older one is superseded, so each image is promoted in one way.
 */
type Meeting = 'none' | 'held' | 'contended' | 'pursued';

const inTurn: readonly Meeting[] = ['none', 'contended', 'pursued'];

function meetingOf(number: number, tag: string): Meeting {
  return number % 5 === 0 && tag === 'br-alone' ? 'held' : (inTurn[number % inTurn.length] ?? 'none');
}

function imagesOf(sceneries: readonly Scenery[], meeting: Meeting): readonly (readonly string[])[] {
  return sceneries
    .map(({ repository, condemned }, number) =>
      [...condemned.keys()].filter((tag) => meetingOf(number, tag) === meeting).map((tag) => `${repository}:${tag}`),
    )
    .filter((images) => images.length > 0);
}

/** Two runs of the policy: what a promotion needed while the first one acted goes with the second. Gives both. */
export async function deleteBesidePromotions(stage: Stage): Promise<readonly RetentionRun[]> {
  const { administrator, promotions, say } = stage;
  const plan = await administrator.approve();
  say(`${plan.removals} of ${plan.artifacts} artifacts are condemned`);
  const resume = await administrator.pause('held');
  const held = await requestHeld(stage);
  const first = await runContended(stage);
  const refused = JSON.stringify(Object.fromEntries(promotions.refused));
  say(`${first.deleted} manifests are gone, ${first.spared} were spared; ${promotions.succeeded} promotions; refused: ${refused}`);
  await lookForHalves(stage, held);

  await resume();
  await each(held, ([image, id]) => promotions.settled(id, image));
  const second = await administrator.run();
  say(`${second.deleted} more are gone, ${second.spared} were spared`);
  await lookAfterDeletion(stage);
  return [first, second];
}

/** Promotions that are accepted and wait, by image. */
async function requestHeld({ promotions, sceneries }: Stage): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  for (const image of imagesOf(sceneries, 'held').flat()) {
    const id = await promotions.request('held', image, { isCondemned: false });
    if (id !== undefined) ids.set(image, id);
  }
  return ids;
}

async function runContended({ administrator, installation: { api }, problems, promotions, sceneries }: Stage): Promise<RetentionRun> {
  const promote = (image: string): Promise<void> => promotions.promote(image, { isCondemned: true });
  const lanes = lanesOf(imagesOf(sceneries, 'contended'), promote);
  const pursuit = new Pursuit(api, imagesOf(sceneries, 'pursued').flat(), promote);
  try {
    const run = await administrator.run({ onBegun: (id) => pursuit.begin(id) });
    if (run.deleted === 0) problems.push('the first run deleted nothing: nothing was shown');
    return run;
  } finally {
    await Promise.all([pursuit.end(), ...lanes.map((lane) => lane.end())]);
  }
}

/** Of a condemned image all is there, because of a promotion, or nothing. */
async function lookForHalves(
  { installation: { ci }, problems, promotions, sceneries }: Stage,
  held: ReadonlyMap<string, string>,
): Promise<void> {
  await each(sceneries, async (scenery) => {
    for (const one of scenery.condemned) {
      const [tag] = one;
      const image = `${scenery.repository}:${tag}`;
      const left = await leftOf(ci, scenery, one);
      const isNeeded = held.has(image) || promotions.arrived.has(image);
      if (left.length > 0 && !isNeeded) problems.push(`${left.join(', ')} stay, and nobody promoted them`);
      if (left.length > 0 && isNeeded) problems.push(...(await brokenReleases(ci, scenery.repository, new Map([one]))));
      if (left.length === 0 && held.has(image)) problems.push(`${image} is gone, and a promotion waits for it`);
    }
  });
}

async function lookAfterDeletion({ installation: { ci }, problems, say, sceneries }: Stage): Promise<void> {
  await each(sceneries, async (scenery) => {
    for (const one of scenery.condemned) problems.push(...(await leftOf(ci, scenery, one)).map((left) => `${left} is still there`));
    problems.push(...(await brokenReleases(ci, scenery.repository, scenery.kept)));
  });
  say('nothing condemned is there, and all that is kept was pulled');
}
