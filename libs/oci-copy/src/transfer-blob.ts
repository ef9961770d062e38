import type { Readable } from 'node:stream';
import type { BlobUpload, Descriptor } from '@waybill/oci-model';
import { type CopyError, copyErrorFrom, type Place, stalled } from './copy-error.js';
import { type Settings, sinkBufferBytes } from './options.js';
import type { Part } from './part.js';
import { request } from './request.js';
import type { CopySession } from './session.js';
import { Sink, tee } from './tee.js';

/** A target that lacks a blob, with the session that a refused mount has left. */
export interface Delivery {
  readonly part: Part;
  /** Used by the first transfer; whoever made the delivery cancels what was not used. */
  upload: BlobUpload | undefined;
}

/** A delivery that did not arrive. */
export interface FailedDelivery {
  readonly delivery: Delivery;
  readonly error: CopyError;
}

/**
 * Reads a blob from the source once and pushes it to all targets that still want it.
 * Resolves when every push has settled, with the deliveries that failed.
 */
export async function transferBlob(
  blob: Descriptor,
  deliveries: readonly Delivery[],
  { source, settings }: Pick<CopySession, 'source' | 'settings'>,
): Promise<FailedDelivery[]> {
  const wanted = deliveries.filter(({ part }) => part.error === undefined);
  if (wanted.length === 0) return [];
  const place: Place = { side: 'source', operation: 'read blob', digest: blob.digest };
  let content: Readable;
  try {
    content = await request(place, { settings, signal: settings.signal, retries: 0 }, (signal) => source.readBlob(blob, signal));
  } catch (error) {
    return wanted.map((delivery) => ({ delivery, error: error as CopyError }));
  }
  const pushes = wanted.map((delivery) => new Push(blob, delivery, settings));
  const sinks = pushes.map((push) => push.sink);
  const pushed = pushes.map((push) => push.run());
  try {
    await tee(content, sinks, {
      stallTimeoutMs: settings.stallTimeoutMs,
      sourceStalled: () => stalled(place, settings.stallTimeoutMs),
    });
  } catch (cause) {
    for (const sink of sinks) sink.dropOut(copyErrorFrom(cause, place));
  }
  const outcomes = await Promise.all(pushed);
  return outcomes.filter((outcome) => outcome !== undefined);
}

/** One target's part of a transfer. */
class Push {
  readonly sink: Sink;
  readonly #place: Place;

  constructor(
    private readonly blob: Descriptor,
    private readonly delivery: Delivery,
    settings: Settings,
  ) {
    this.#place = { side: 'target', target: delivery.part.run.id, operation: 'push blob', digest: blob.digest };
    this.sink = new Sink(sinkBufferBytes, {
      onBytes: (bytes) => delivery.part.run.reportBytes(blob, bytes),
      stalled: () => stalled(this.#place, settings.stallTimeoutMs),
    });
  }

  /** Never rejects. */
  async run(): Promise<FailedDelivery | undefined> {
    const { delivery, blob } = this;
    const error = await this.#send();
    if (error !== undefined) return { delivery, error };
    // It is there, and the report says so, whatever else has become of the target meanwhile.
    await delivery.part.blobArrived(blob, 'copied').catch((failure: unknown) => delivery.part.fail(failure as CopyError));
    return undefined;
  }

  async #send(): Promise<CopyError | undefined> {
    const { delivery, sink, blob } = this;
    const { part, upload } = delivery;
    const { run } = part;
    if (part.error !== undefined) {
      sink.dropOut(part.error);
      return part.error;
    }
    delivery.upload = undefined;
    const stop = () => sink.dropOut(run.signal.reason as CopyError);
    run.signal.addEventListener('abort', stop, { once: true });
    try {
      await run.store.pushBlob(blob, sink, upload === undefined ? { signal: run.signal } : { signal: run.signal, upload });
      return sink.dropped;
    } catch (cause) {
      // The store only passes on what we dropped the sink for, be it the source's fault or our own signal.
      return sink.dropped ?? copyErrorFrom(cause, this.#place);
    } finally {
      run.signal.removeEventListener('abort', stop);
      sink.destroy();
    }
  }
}
