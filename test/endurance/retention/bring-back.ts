import type { RetentionRun } from '@waybill/contracts/http';
import { each } from './each.js';
import { brokenReleases, onDisk } from './look.js';
import { storedBytes } from './scenery.js';
import type { Stage } from './story.js';

/** What is in the trash is needed, as what stays is: a collection takes neither. */
export async function collectBesideTrash({ administrator, installation: { ci }, problems, say, sceneries }: Stage): Promise<void> {
  const { reclaimedBytes } = await administrator.collect();
  say(`with all of it in the trash ${reclaimedBytes} bytes were given back`);
  const needed = storedBytes(sceneries.flatMap(({ kept, condemned }) => [...kept.values(), ...condemned.values()]));
  // Lists of referrers are made again from what comes back.
  for (const { list } of sceneries.flatMap(({ condemned }) => [...condemned.values()])) needed.delete(list.content.manifest.digest);
  const there = new Set(await onDisk(ci, needed.keys()));
  for (const digest of needed.keys()) if (!there.has(digest)) problems.push(`a collection took ${digest}, which is needed`);
}

/** All that the runs deleted comes back to the digests and tags that it had. */
export async function bringBack(stage: Stage, runs: readonly RetentionRun[]): Promise<void> {
  const {
    administrator,
    installation: { ci },
    problems,
    say,
    sceneries,
  } = stage;
  let restored = 0;
  for (const { id, deleted } of runs) restored += deleted > 0 ? await administrator.restore(id) : 0;
  const deleted = runs.reduce((sum, run) => sum + run.deleted, 0);
  if (restored !== deleted) problems.push(`${deleted} manifests were deleted, and ${restored} are back`);
  await each(sceneries, async ({ repository, condemned }) => void problems.push(...(await brokenReleases(ci, repository, condemned))));
  say(`${restored} manifests are back, and all of it was pulled`);
}
