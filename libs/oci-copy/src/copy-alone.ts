import type { Descriptor } from '@waybill/oci-model';
import { type Errand, runErrands } from './errand.js';
import { mountBlob } from './mount-blob.js';
import type { Part } from './part.js';
import { pause, retryDelay } from './request.js';
import type { CopySession } from './session.js';
import { type FailedPush, transferBlob } from './transfer-blob.js';

/**
 * Brings one blob to one target that waits for no other and is waited for by none: what is there is left, what can
 * be mounted is mounted, and what remains is read from the source. Never rejects: a failure ends the part.
 */
export async function copyBlobAlone(blob: Descriptor, part: Part, session: CopySession): Promise<void> {
  await runErrands(blob, [part], {
    company: 'alone',
    bring: forEach(async (errand) => {
      if ((await probeBlob(errand)) === 'absent') await mountOrDeliver(errand, session);
    }),
  });
}

/** Pushes a blob to a target that seemed to have it: no probe and no mount is believed. Never rejects. */
export async function pushBlobAgain(blob: Descriptor, part: Part, session: CopySession): Promise<void> {
  part.run.knownBlobs.forget(blob.digest);
  await runErrands(blob, [part], { company: 'alone', bring: forEach((errand) => deliverAlone(errand, session)) });
}

/** What a target says of a blob; `failed` when the part has. */
export type BlobState = 'present' | 'absent' | 'failed';

/** Asks the target for a byte of the blob. Never rejects. */
export async function probeBlob({ blob, part }: Errand): Promise<BlobState> {
  const { run } = part;
  const state = await part.guard(async () => {
    const isPresent = await run.request('probe blob', blob.digest, (signal) => run.store.probeBlob(blob, signal));
    if (isPresent) await part.blobArrived(blob, 'already-present');
    return isPresent ? 'present' : 'absent';
  });
  return state ?? 'failed';
}

/** Mounts the blob where the target can. Never rejects. */
export async function tryMount(errand: Errand): Promise<BlobState> {
  const { blob, part } = errand;
  const state = await part.guard(async () => {
    const mount = await mountBlob(part.run, blob);
    if (mount.mounted) await part.blobArrived(blob, 'mounted');
    else errand.upload = mount.upload;
    return mount.mounted ? 'present' : 'absent';
  });
  return state ?? 'failed';
}

/** Never rejects. */
export async function mountOrDeliver(errand: Errand, session: CopySession): Promise<void> {
  if ((await tryMount(errand)) === 'absent') await deliverAlone(errand, session);
}

/** Transfers until the target has the blob or the part has failed; `failures` have been before. Never rejects. */
export async function deliverAlone(errand: Errand, session: CopySession, failures = 0): Promise<void> {
  const { blob, part } = errand;
  const lost = session.lossOf(blob.digest);
  if (lost !== undefined) part.fail(lost);
  for (let tried = failures + 1; part.error === undefined; tried += 1) {
    const failed = await part.run.lane.transfers(() => transferAlone(errand, session));
    if (failed === undefined) return;
    const delay = delayBefore(failed, tried, session);
    if (delay !== undefined) await pause(delay, part.run.signal);
  }
}

/** Milliseconds until a push that failed for the `tried`th time is tried again; undefined when its part has failed with it. */
export function delayBefore({ errand, error }: FailedPush, tried: number, session: CopySession): number | undefined {
  const delay = retryDelay(error, tried, session.settings);
  if (delay !== undefined) return delay;
  session.noteLoss(errand.blob.digest, error);
  errand.part.fail(error);
  return undefined;
}

async function transferAlone(errand: Errand, session: CopySession): Promise<FailedPush | undefined> {
  const [transfer] = await transferBlob(errand.blob, [errand], session);
  return transfer?.pushed;
}

function forEach(bring: (errand: Errand) => Promise<void>): (errands: readonly Errand[]) => Promise<void> {
  return async (errands) => {
    await Promise.all(errands.map(bring));
  };
}
