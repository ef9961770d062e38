import type { Descriptor } from '@waybill/oci-model';
import { copyBlobAlone } from './copy-alone.js';
import { copyBlobTogether } from './copy-together.js';
import type { Part } from './part.js';
import type { CopySession } from './session.js';
import type { TargetRun } from './target-run.js';

/** A blob, and those that want it. */
export interface BlobJob {
  readonly blob: Descriptor;
  readonly parts: readonly Part[];
}

/**
 * Brings blobs to targets, in the order given: together as long as the targets keep up with each other, and to
 * whoever does not by itself. Never rejects: a failure ends the parts that it belongs to.
 */
export async function copyBlobs(jobs: readonly BlobJob[], session: CopySession): Promise<void> {
  const runs = new Set(jobs.flatMap(({ parts }) => parts.map(({ run }) => run)));
  const [only, ...others] = runs;
  if (only === undefined) return;
  if (others.length === 0) return copyAlone(jobs, only, session);
  const together = copyTogether(jobs, session);
  const alone = async (run: TargetRun): Promise<void> => {
    await Promise.race([together, run.holdUp.leftBehind]);
    // What was begun together is waited for there, and found to be known.
    if (run.holdUp.isLeftBehind) await copyAlone(jobs, run, session);
  };
  await Promise.all([together, ...[...runs].map(alone)]);
}

async function copyTogether(jobs: readonly BlobJob[], session: CopySession): Promise<void> {
  await Promise.all(jobs.map(({ blob, parts }) => session.lane.ahead(() => copyBlobTogether(blob, parts, session))));
}

async function copyAlone(jobs: readonly BlobJob[], run: TargetRun, session: CopySession): Promise<void> {
  const copies = jobs.flatMap(({ blob, parts }) =>
    parts.filter((part) => part.run === run).map((part) => run.lane.ahead(() => copyBlobAlone(blob, part, session))),
  );
  await Promise.all(copies);
}
