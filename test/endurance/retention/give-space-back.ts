import { setTimeout as delay } from 'node:timers/promises';
import { each } from './each.js';
import { blobBytes, brokenReleases, leftOf, onDisk, trashOf } from './look.js';
import { unsharedBytes } from './scenery.js';
import type { Stage } from './story.js';
import { topologyWith } from './topology.js';

const pollMs = 250;
const emptyWithinMs = 900_000;

/** Condemned again, and not held for long: the disk gets back at most what the plan promises, and all that nothing else needs. */
export async function giveSpaceBack(stage: Stage): Promise<void> {
  const {
    installation: { ci },
    problems,
    say,
    sceneries,
  } = stage;
  const promised = await deleteForGood(stage);
  const unshared = unsharedBytes(sceneries);
  const atLeast = [...unshared.values()].reduce((sum, bytes) => sum + bytes, 0);

  const { given, told } = await collected(stage);

  say(`promised: at most ${promised} bytes; needed by nothing: ${atLeast}; given back: ${given}; told: ${told}`);
  if (given < atLeast || given > promised) problems.push(`${given} bytes were given back, and not from ${atLeast} to ${promised}`);
  if (told !== given) problems.push(`${given} bytes were given back, and ${told} are told`);
  for (const digest of await onDisk(ci, unshared.keys())) problems.push(`${digest} is on the disk, and nothing needs it`);
  await each(sceneries, async (scenery) => {
    for (const one of scenery.condemned) problems.push(...(await leftOf(ci, scenery, one)).map((left) => `${left} is there again`));
    problems.push(...(await brokenReleases(ci, scenery.repository, scenery.kept)));
  });
  say('all that is kept was pulled again');
}

/** Gives what the plan promises, in bytes. */
async function deleteForGood({ administrator, installation: { apply, ci }, problems, say, sceneries }: Stage): Promise<number> {
  const untilTrashIsEmpty = () => each(sceneries, ({ repository }) => untilEmpty(() => trashOf(ci, repository), repository));
  // What was restored leaves the trash one by one; what shares content with it could not be held meanwhile.
  await untilTrashIsEmpty();
  await apply(topologyWith('1s'));
  await administrator.crawl();
  await administrator.approve();
  const { bytesAtMost, deleted, spared } = await administrator.run();
  if (spared > 0) problems.push(`${spared} manifests were spared, and nobody needed them`);
  await untilTrashIsEmpty();
  say(`${deleted} manifests are gone, from the trash too`);
  return bytesAtMost;
}

async function untilEmpty(count: () => Promise<number>, repository: string): Promise<void> {
  const deadline = performance.now() + emptyWithinMs;
  while ((await count()) > 0) {
    if (performance.now() > deadline) throw new Error(`the trash of ${repository} is not empty after ${emptyWithinMs} ms`);
    await delay(pollMs);
  }
}

/** What a collection gives back, as the disk shows it and as it tells itself. */
async function collected({
  administrator,
  installation: { ci },
}: Stage): Promise<{ readonly given: number; readonly told: number | undefined }> {
  const before = await blobBytes(ci);
  const { reclaimedBytes } = await administrator.collect();
  return { given: before - (await blobBytes(ci)), told: reclaimedBytes };
}
