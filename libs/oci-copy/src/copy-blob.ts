import type { ContentReader, Descriptor } from '@waybill/oci-model';
import type { LimitFunction } from 'p-limit';
import { stalled } from './copy-error.js';
import { mountBlob } from './mount-blob.js';
import type { Settings } from './options.js';
import { pause, retryDelay } from './request.js';
import type { TargetRun } from './target-run.js';
import { type Delivery, transferBlob } from './transfer-blob.js';

/** What all blobs of one copy share. */
export interface BlobContext {
  readonly source: ContentReader;
  readonly settings: Settings;
  /** Transfers under way at a time. */
  readonly slots: LimitFunction;
}

/**
 * Brings one blob to every target: what is there is left, what can be mounted is mounted,
 * and what remains is read from the source once and given to all that lack it.
 * Never rejects: a failure ends the target that it belongs to.
 */
export async function copyBlob(blob: Descriptor, runs: readonly TargetRun[], context: BlobContext): Promise<void> {
  const deliveries = await prepareAll(blob, runs, context.settings);
  try {
    await deliver(blob, deliveries, context);
  } finally {
    await Promise.all(deliveries.map(async ({ upload }) => upload?.cancel()));
  }
}

/** Gives the targets that want the bytes, when all are ready or those that are have waited long enough. */
async function prepareAll(blob: Descriptor, runs: readonly TargetRun[], { stallTimeoutMs }: Settings): Promise<Delivery[]> {
  const late = new Set(runs);
  const giveUpLate = () => {
    for (const run of late) {
      run.fail(stalled({ side: 'target', target: run.id, operation: 'prepare blob', digest: blob.digest }, stallTimeoutMs));
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const prepared = await Promise.all(
    runs.map(async (run) => {
      const delivery = await run.guard(() => prepare(run, blob));
      late.delete(run);
      if (delivery !== undefined) timer ??= setTimeout(giveUpLate, stallTimeoutMs);
      return delivery;
    }),
  );
  clearTimeout(timer);
  return prepared.filter((delivery) => delivery !== undefined);
}

/** Gives a delivery when the target wants the bytes. */
async function prepare(run: TargetRun, blob: Descriptor): Promise<Delivery | undefined> {
  const present = await run.request('probe blob', blob.digest, (signal) => run.store.probeBlob(blob, signal));
  if (present) {
    await run.blobArrived(blob, 'already-present');
    return undefined;
  }
  const mount = await mountBlob(run, blob);
  if (!mount.mounted) return { run, upload: mount.upload };
  await run.blobArrived(blob, 'mounted');
  return undefined;
}

/** Transfers until every target has the blob or has failed. The slot is given back during waits. */
async function deliver(blob: Descriptor, deliveries: readonly Delivery[], context: BlobContext): Promise<void> {
  const { source, settings, slots } = context;
  let waiting = deliveries;
  for (let failures = 1; waiting.length > 0; failures += 1) {
    const failed = await slots(() => transferBlob(blob, waiting, { source, settings }));
    const again = failed.map(({ delivery, error }) => ({ delivery, error, delay: retryDelay(error, failures, settings) }));
    for (const { delivery, error, delay } of again) {
      if (delay === undefined) delivery.run.fail(error);
    }
    const delays = again.map(({ delay }) => delay).filter((delay) => delay !== undefined);
    if (delays.length > 0) await pause(Math.max(...delays), settings.signal);
    waiting = again.map(({ delivery }) => delivery).filter(({ run }) => run.error === undefined);
  }
}
