import type { Logger } from '@waybill/observability';

/** How long a connection must hold before it is called good; when a server goes, its connections do not all go at once. */
const settlingMs = 1_000;

/** Tells of a connection only when its state changes, however many calls fail meanwhile. */
export class ConnectionLog {
  readonly #logger: Logger;
  #downSince: number | undefined;
  #settling: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  down(error: unknown): void {
    this.#stopSettling();
    if (this.#closed || this.#downSince !== undefined) return;
    this.#downSince = performance.now();
    this.#logger.warn({ err: error }, 'the queue cannot be reached');
  }

  up(): void {
    if (this.#closed || this.#downSince === undefined || this.#settling !== undefined) return;
    const downMs = Math.round(performance.now() - this.#downSince);
    this.#settling = setTimeout(() => {
      this.#settling = undefined;
      this.#downSince = undefined;
      this.#logger.info({ downMs }, 'the queue can be reached again');
    }, settlingMs).unref();
  }

  /** A closing connection is no news. */
  close(): void {
    this.#closed = true;
    this.#stopSettling();
  }

  #stopSettling(): void {
    clearTimeout(this.#settling);
    this.#settling = undefined;
  }
}
