import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** A server-sent event (WHATWG HTML, "Server-sent events"). */
export interface StreamEvent {
  readonly name: string;
  /** Where a reader that has got it resumes; absent for what is never repeated. */
  readonly id?: bigint;
  readonly data: object;
}

export interface EventStreamOptions {
  /** How long a reader may take nothing before it is cut off, in milliseconds. */
  readonly stallMs: number;
}

/** What a reader waits before it comes back, in milliseconds. */
const retryMs = 2_000;

/**
 * One reader's stream. What is written waits until the reader has taken what came before, so no more
 * than one event is kept for it; a reader that takes nothing is cut off, and resumes from what it has got.
 */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #stallMs: number;
  readonly #gone = new AbortController();

  constructor(response: ServerResponse, { stallMs }: EventStreamOptions) {
    this.#response = response;
    this.#stallMs = stallMs;
    const gone = (): void => this.#gone.abort(new Error('the reader is gone'));
    // Whoever hangs up while its key is looked at is gone already.
    if (response.destroyed) gone();
    else response.once('close', gone);
  }

  /** Aborted when the reader is gone, or was cut off. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Proxies are told to keep nothing and to hand on at once. */
  open(): void {
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    this.#response.write(`retry: ${retryMs}\n\n`);
  }

  /** Resolves when the reader has taken enough to be given more; rejects when it is gone or takes nothing. */
  async send(event: StreamEvent): Promise<void> {
    this.#gone.signal.throwIfAborted();
    if (!this.#response.write(frameOf(event))) await this.#drained();
  }

  /** Writes unless the reader is behind: for what may be left out. */
  offer(event: StreamEvent): void {
    if (this.#takesMore()) this.#response.write(frameOf(event));
  }

  /** A comment, which keeps proxies from thinking that the stream is dead. */
  beat(): void {
    if (this.#takesMore()) this.#response.write(': still here\n\n');
  }

  end(): void {
    this.#response.end();
  }

  #takesMore(): boolean {
    return !this.#gone.signal.aborted && !this.#response.writableEnded && !this.#response.writableNeedDrain;
  }

  async #drained(): Promise<void> {
    const stall = AbortSignal.timeout(this.#stallMs);
    try {
      await once(this.#response, 'drain', { signal: AbortSignal.any([this.#gone.signal, stall]) });
    } catch (error) {
      this.#gone.abort(error);
      this.#response.destroy();
      throw error;
    }
  }
}

/** JSON holds no line breaks, so one line of data is enough. */
function frameOf({ name, id, data }: StreamEvent): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
