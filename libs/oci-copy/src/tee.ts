import { Readable } from 'node:stream';
import type { CopyError } from './copy-error.js';
import { type HoldUp, keptUp } from './hold-up.js';

/** What a sink asks of whoever made it. */
export interface SinkOwner {
  /** Told the bytes of each chunk before it is given; may throw a CopyError, which drops the sink. */
  readonly onBytes: (bytes: number) => void;
  /** Counts how long the sink keeps others waiting; absent when it has no company. */
  readonly holdUp: HoldUp | undefined;
  /** The error of a sink that kept the others waiting for too long. */
  readonly leftBehind: () => CopyError;
}

/**
 * One receiver's end of a tee: a readable with a bounded buffer that the tee fills
 * and an upload empties. Chunks are shared between sinks and must not be changed.
 */
export class Sink extends Readable {
  readonly #owner: SinkOwner;
  #dropped: CopyError | undefined;
  #isLeftBehind = false;
  #full = false;
  #wake: (() => void) | undefined;

  constructor(bufferBytes: number, owner: SinkOwner) {
    super({ highWaterMark: bufferBytes });
    this.#owner = owner;
    // Whoever reads the sink may have let go of it; its error is told through `dropped`.
    this.on('error', () => undefined);
  }

  /** Why the tee gave this sink up; undefined when it did not. */
  get dropped(): CopyError | undefined {
    return this.#dropped;
  }

  /** Was it given up for the others' sake? */
  get isLeftBehind(): boolean {
    return this.#isLeftBehind;
  }

  get holdUp(): HoldUp | undefined {
    return this.#owner.holdUp;
  }

  /** Is there no room for another chunk? */
  get full(): boolean {
    return this.#full && !this.destroyed;
  }

  offer(chunk: Uint8Array): void {
    try {
      this.#owner.onBytes(chunk.byteLength);
    } catch (error) {
      this.dropOut(error as CopyError);
      return;
    }
    this.#full = true;
    if (this.push(chunk)) this.#full = false;
  }

  /** Ends the stream early, so that its reader commits nothing. */
  dropOut(reason: CopyError): void {
    if (this.destroyed) return;
    this.#dropped = reason;
    this.destroy(reason);
  }

  /** Drops the sink for the others' sake. */
  leaveBehind(): void {
    if (this.destroyed) return;
    this.#isLeftBehind = true;
    this.dropOut(this.#owner.leftBehind());
  }

  /** Asked of a full sink: resolves when there is room again, or nobody reads any more. */
  async room(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  override _read(): void {
    this.#full = false;
    this.#wake?.();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#wake?.();
    done(error);
  }
}

export interface TeeOptions {
  readonly stallTimeoutMs: number;
  /** The error of a source that gave no byte for that long, though every sink had room. */
  readonly sourceStalled: () => CopyError;
}

/**
 * Reads `source` once for all `sinks`, at the pace of the slowest. A sink that is gone is
 * left out; one that keeps another waiting for longer than its target may is dropped. Ends when the sinks were given everything or are gone; the source is destroyed in any case.
 * Rejects with what the source failed with; the sinks are left open then, for the caller to drop.
 */
export async function tee(source: Readable, sinks: readonly Sink[], options: TeeOptions): Promise<void> {
  const stopWhenAlone = () => {
    if (!sinks.some(isOpen)) source.destroy();
  };
  // It is told through the iteration; a late one, after the last sink has gone, is nobody's.
  source.on('error', () => undefined);
  for (const sink of sinks) sink.once('close', stopWhenAlone);
  stopWhenAlone();
  try {
    await pump(source, sinks, options);
  } catch (error) {
    // Nobody wants the bytes any more, so it does not matter why there are none.
    if (sinks.some(isOpen)) throw error;
  } finally {
    for (const sink of sinks) sink.off('close', stopWhenAlone);
  }
}

async function pump(source: Readable, sinks: readonly Sink[], options: TeeOptions): Promise<void> {
  const watchSource = () => setTimeout(() => source.destroy(options.sourceStalled()), options.stallTimeoutMs);
  let timer = watchSource();
  try {
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      for (const sink of sinks.filter(isOpen)) sink.offer(chunk);
      const full = sinks.filter((sink) => sink.full);
      if (full.length > 0) await roomInAll(full, sinks);
      timer = watchSource();
    }
  } finally {
    clearTimeout(timer);
  }
  for (const sink of sinks.filter(isOpen)) sink.push(null);
}

/** Waits for the `full` ones of `sinks`; drops those that were left behind. When all are full, nobody waits for anybody. */
async function roomInAll(full: readonly Sink[], sinks: readonly Sink[]): Promise<void> {
  const steps = full.map((sink) => ({ sink, holdUp: sink.holdUp, work: sink.room() }));
  const isWaited = sinks.some((sink) => isOpen(sink) && !sink.full);
  const kept = await keptUp(steps, (_room, { sink }) => isOpen(sink), isWaited);
  for (const step of steps) if (!kept.has(step)) step.sink.leaveBehind();
}

function isOpen(sink: Sink): boolean {
  return !sink.destroyed;
}
