import type { Readable } from 'node:stream';
import type { Descriptor } from '@waybill/oci-model';
import { type CopyError, copyErrorFrom, type Place, stalled } from './copy-error.js';
import type { Errand } from './errand.js';
import { type Settings, sinkBufferBytes } from './options.js';
import { request } from './request.js';
import type { CopySession } from './session.js';
import { Sink, tee } from './tee.js';

/** A push that did not arrive. */
export interface FailedPush {
  readonly errand: Errand;
  readonly error: CopyError;
  /** It kept the others waiting, and is to be made again without them: that is no failure of the target's. */
  readonly isLeftBehind: boolean;
}

/** A push under way. */
export interface Transfer {
  readonly errand: Errand;
  /** Never rejects; undefined when the blob is at the target. */
  readonly pushed: Promise<FailedPush | undefined>;
}

/**
 * Reads a blob from the source once and pushes it to all targets that still want it.
 * Resolves when the source was read; pushes may still wait for their target's word.
 */
export async function transferBlob(
  blob: Descriptor,
  errands: readonly Errand[],
  { source, settings }: Pick<CopySession, 'source' | 'settings'>,
): Promise<Transfer[]> {
  const wanted = errands.filter(({ part }) => part.error === undefined);
  if (wanted.length === 0) return [];
  const place: Place = { side: 'source', operation: 'read blob', digest: blob.digest };
  let content: Readable;
  try {
    content = await request(place, { settings, signal: settings.signal, retries: 0 }, (signal) => source.readBlob(blob, signal));
  } catch (error) {
    return wanted.map((errand) => ({ errand, pushed: Promise.resolve({ errand, error: error as CopyError, isLeftBehind: false }) }));
  }
  const pushes = wanted.map((errand) => new Push(errand, settings, wanted.length > 1));
  const sinks = pushes.map((push) => push.sink);
  const transfers = pushes.map((push) => ({ errand: push.errand, pushed: push.run() }));
  for (const { errand, pushed } of transfers) errand.part.run.track(pushed);
  try {
    await tee(content, sinks, {
      stallTimeoutMs: settings.stallTimeoutMs,
      sourceStalled: () => stalled(place, settings.stallTimeoutMs),
    });
  } catch (cause) {
    for (const sink of sinks) sink.dropOut(copyErrorFrom(cause, place));
  }
  return transfers;
}

/** One target's part of a transfer. */
class Push {
  readonly sink: Sink;
  readonly #place: Place;
  #given = 0;

  constructor(
    readonly errand: Errand,
    settings: Settings,
    isInCompany: boolean,
  ) {
    const { blob, part } = errand;
    const { holdUp } = part.run;
    this.#place = { side: 'target', target: part.run.id, operation: 'push blob', digest: blob.digest };
    this.sink = new Sink(sinkBufferBytes, {
      onBytes: (bytes) => {
        holdUp.took(bytes);
        this.#given += bytes;
        part.run.reportBytes(blob, { bytes, done: this.#given });
      },
      holdUp: isInCompany ? holdUp : undefined,
      leftBehind: () => stalled(this.#place, settings.holdUpMs),
    });
  }

  /** Never rejects. */
  async run(): Promise<FailedPush | undefined> {
    const { errand, sink } = this;
    const error = await this.#send();
    if (error !== undefined) return { errand, error, isLeftBehind: sink.isLeftBehind };
    // It is there, and the report says so, whatever else has become of the target meanwhile.
    await errand.part.blobArrived(errand.blob, 'copied').catch((failure: unknown) => errand.part.fail(failure as CopyError));
    return undefined;
  }

  async #send(): Promise<CopyError | undefined> {
    const { errand, sink } = this;
    const { blob, part, upload } = errand;
    const { run } = part;
    if (part.error !== undefined) {
      sink.dropOut(part.error);
      return part.error;
    }
    errand.upload = undefined;
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
