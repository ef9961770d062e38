import type { Descriptor } from '@waybill/oci-model';
import { type BlobState, delayBefore, deliverAlone, mountOrDeliver, probeBlob, tryMount } from './copy-alone.js';
import { type Errand, runErrands } from './errand.js';
import { keptUp } from './hold-up.js';
import type { Part } from './part.js';
import { pause } from './request.js';
import type { CopySession } from './session.js';
import { type FailedPush, transferBlob } from './transfer-blob.js';

/**
 * Brings one blob to every target whose part wants it: what is there is left, what can be mounted is mounted, and
 * what remains is read from the source once and given to all that lack it. Whoever keeps the others waiting for too
 * long, is the only one that lacks the blob, or fails by itself, goes on alone.
 * Never rejects: a failure ends the parts that it belongs to.
 */
export async function copyBlobTogether(blob: Descriptor, parts: readonly Part[], session: CopySession): Promise<void> {
  await runErrands(blob, parts, { company: 'together', bring: (errands) => bringTogether(errands, session) });
}

async function bringTogether(errands: readonly Errand[], session: CopySession): Promise<void> {
  const lacking = await absentAt(errands, { ask: probeBlob, goOn: (errand) => mountOrDeliver(errand, session) });
  const [only, ...others] = lacking;
  if (only !== undefined && others.length === 0) {
    // What one target alone wants is no business of the others.
    only.goOnAlone(() => only.part.run.lane.ahead(() => mountOrDeliver(only, session)));
    return;
  }
  await deliverTogether(await absentAt(lacking, { ask: tryMount, goOn: (errand) => deliverAlone(errand, session) }), session);
}

interface Asking {
  readonly ask: (errand: Errand) => Promise<BlobState>;
  /** What is done for a target that lacks the blob and was left behind. */
  readonly goOn: (errand: Errand) => Promise<void>;
}

/** Asks all targets; gives those that lack the blob, but for those that were left behind. */
async function absentAt(errands: readonly Errand[], { ask, goOn }: Asking): Promise<Errand[]> {
  const steps = errands.map((errand) => ({ errand, holdUp: errand.part.run.holdUp, work: ask(errand) }));
  const kept = await keptUp(steps, (state) => state !== 'failed');
  for (const step of steps) {
    if (!kept.has(step)) step.errand.goOnAlone(async () => ((await step.work) === 'absent' ? goOn(step.errand) : undefined));
  }
  return [...kept].flatMap(([{ errand }, state]) => (state === 'absent' ? [errand] : []));
}

/** Transfers until every target has the blob, has failed or goes on alone. The slot is given back during waits. */
async function deliverTogether(errands: readonly Errand[], session: CopySession): Promise<void> {
  let waiting = errands.filter((errand) => !isLost(errand, session));
  let tried = 0;
  while (waiting.length > 1) {
    tried += 1;
    const failed = await session.lane.transfers(() => transferTogether(waiting, tried, session));
    const due = await dueTogether(failed, tried, session);
    waiting = due.filter(({ part }) => part.error === undefined);
  }
  const [only] = waiting;
  const failures = tried;
  only?.goOnAlone(() => deliverAlone(only, session, failures));
}

function isLost({ blob, part }: Errand, session: CopySession): boolean {
  const lost = session.lossOf(blob.digest);
  if (lost !== undefined) part.fail(lost);
  return lost !== undefined;
}

/** One read for all. Gives the pushes that failed, but for those of targets that were left behind. */
async function transferTogether(errands: readonly Errand[], tried: number, session: CopySession): Promise<FailedPush[]> {
  const [first] = errands;
  if (first === undefined) return [];
  const transfers = await transferBlob(first.blob, errands, session);
  const steps = transfers.map(({ errand, pushed }) => ({ errand, holdUp: errand.part.run.holdUp, work: pushed }));
  const kept = await keptUp(steps, (failed) => failed === undefined);
  for (const { errand, work } of steps.filter((step) => !kept.has(step))) {
    errand.goOnAlone(async () => {
      const failed = await work;
      if (failed !== undefined) await tryAgainAlone(failed, tried, session);
    });
  }
  return [...kept.values()].filter((failed) => failed !== undefined);
}

/** Waits until what failed because of the source is to be tried again, for all at once; the others go on alone. */
async function dueTogether(failures: readonly FailedPush[], tried: number, session: CopySession): Promise<Errand[]> {
  const due: { readonly errand: Errand; readonly delay: number }[] = [];
  for (const failed of failures) {
    const { errand, error } = failed;
    if (error.side === 'target') {
      errand.goOnAlone(() => tryAgainAlone(failed, tried, session));
      continue;
    }
    const delay = delayBefore(failed, tried, session);
    if (delay !== undefined) due.push({ errand, delay });
  }
  if (due.length > 0) await pause(Math.max(...due.map(({ delay }) => delay)), session.settings.signal);
  return due.map(({ errand }) => errand);
}

async function tryAgainAlone(failed: FailedPush, tried: number, session: CopySession): Promise<void> {
  const { errand, isLeftBehind } = failed;
  if (isLeftBehind) return deliverAlone(errand, session, tried - 1);
  const delay = delayBefore(failed, tried, session);
  if (delay === undefined) return;
  await pause(delay, errand.part.run.signal);
  await deliverAlone(errand, session, tried);
}
