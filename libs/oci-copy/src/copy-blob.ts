import type { Descriptor } from '@waybill/oci-model';
import { stalled } from './copy-error.js';
import type { BlobClaim } from './known-blobs.js';
import { mountBlob } from './mount-blob.js';
import type { Settings } from './options.js';
import type { Part } from './part.js';
import { pause, retryDelay } from './request.js';
import type { CopySession } from './session.js';
import { type Delivery, transferBlob } from './transfer-blob.js';

/**
 * Brings one blob to every target whose part wants it: what is there is left, what can be
 * mounted is mounted, and what remains is read from the source once and given to all that lack it.
 * What another copy of the same call brings to a target is waited for.
 * Never rejects: a failure ends the parts that it belongs to.
 */
export async function copyBlob(blob: Descriptor, parts: readonly Part[], session: CopySession): Promise<void> {
  await bringBlob(blob, parts, (mine) => deliverMissing(blob, mine, session));
}

/** Pushes a blob to a target that seemed to have it: no probe and no mount is believed. Never rejects. */
export async function pushBlobAgain(blob: Descriptor, part: Part, session: CopySession): Promise<void> {
  part.run.knownBlobs.forget(blob.digest);
  await bringBlob(blob, [part], (mine) =>
    deliver(
      blob,
      mine.map((each) => ({ part: each, upload: undefined })),
      session,
    ),
  );
}

/** A part that waits for another one's transfer may have to make its own when that one gives up, for reasons of its own. */
async function bringBlob(blob: Descriptor, parts: readonly Part[], bring: (mine: readonly Part[]) => Promise<void>): Promise<void> {
  let waiting = parts;
  for (;;) {
    const missing = await withoutKnown(blob, waiting);
    if (missing.length === 0) return;
    // Claimed all at once, and released before anything is waited for: nobody waits in a circle.
    const claimed = missing.map((part) => ({ part, claim: part.run.knownBlobs.claim(blob.digest) }));
    const mine = claimed.filter(({ claim }) => claim.isMine).map(({ part }) => part);
    try {
      if (mine.length > 0) await bring(mine);
    } finally {
      for (const { claim } of claimed) if (claim.isMine) claim.release();
    }
    await Promise.all(claimed.map(({ part, claim }) => endOf(part, claim)));
    waiting = claimed.filter(({ claim }) => !claim.isMine).map(({ part }) => part);
  }
}

/** The parts that still want the blob; those whose target is known to have it are told so. */
async function withoutKnown(blob: Descriptor, parts: readonly Part[]): Promise<Part[]> {
  const wanted = parts.filter((part) => part.error === undefined);
  const known = wanted.filter((part) => part.run.knownBlobs.has(blob.digest));
  await Promise.all(known.map((part) => part.guard(() => part.blobArrived(blob, 'already-present'))));
  return wanted.filter((part) => !known.includes(part));
}

async function endOf(part: Part, claim: BlobClaim): Promise<void> {
  if (!claim.isMine) await Promise.race([claim.ended, part.run.failed]);
}

async function deliverMissing(blob: Descriptor, parts: readonly Part[], session: CopySession): Promise<void> {
  const deliveries = await prepareAll(blob, parts, session.settings);
  try {
    await deliver(blob, deliveries, session);
  } finally {
    await Promise.all(deliveries.map(async ({ upload }) => upload?.cancel()));
  }
}

/** Gives the targets that want the bytes, when all are ready or those that are have waited long enough. */
async function prepareAll(blob: Descriptor, parts: readonly Part[], { stallTimeoutMs }: Settings): Promise<Delivery[]> {
  const late = new Set(parts);
  const giveUpLate = () => {
    for (const part of late) {
      part.fail(stalled({ side: 'target', target: part.run.id, operation: 'prepare blob', digest: blob.digest }, stallTimeoutMs));
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const prepared = await Promise.all(
    parts.map(async (part) => {
      const delivery = await part.guard(() => prepare(part, blob));
      late.delete(part);
      if (delivery !== undefined) timer ??= setTimeout(giveUpLate, stallTimeoutMs);
      return delivery;
    }),
  );
  clearTimeout(timer);
  return prepared.filter((delivery) => delivery !== undefined);
}

/** Gives a delivery when the target wants the bytes. */
async function prepare(part: Part, blob: Descriptor): Promise<Delivery | undefined> {
  const { run } = part;
  const present = await run.request('probe blob', blob.digest, (signal) => run.store.probeBlob(blob, signal));
  if (present) {
    await part.blobArrived(blob, 'already-present');
    return undefined;
  }
  const mount = await mountBlob(run, blob);
  if (!mount.mounted) return { part, upload: mount.upload };
  await part.blobArrived(blob, 'mounted');
  return undefined;
}

/** Transfers until every target has the blob or the part that wants it has failed. The slot is given back during waits. */
async function deliver(blob: Descriptor, deliveries: readonly Delivery[], session: CopySession): Promise<void> {
  const { settings, transfers } = session;
  const lost = session.lossOf(blob.digest);
  if (lost !== undefined) for (const { part } of deliveries) part.fail(lost);
  let waiting = deliveries.filter(({ part }) => part.error === undefined);
  for (let failures = 1; waiting.length > 0; failures += 1) {
    const failed = await transfers(() => transferBlob(blob, waiting, session));
    const again = failed.map(({ delivery, error }) => ({ delivery, error, delay: retryDelay(error, failures, settings) }));
    for (const { delivery, error, delay } of again) {
      if (delay !== undefined) continue;
      session.noteLoss(blob.digest, error);
      delivery.part.fail(error);
    }
    const delays = again.map(({ delay }) => delay).filter((delay) => delay !== undefined);
    if (delays.length > 0) await pause(Math.max(...delays), settings.signal);
    waiting = again.map(({ delivery }) => delivery).filter(({ part }) => part.error === undefined);
  }
}
