import type { Logger } from '@waybill/observability';

/**
 * Repeats a piece of work until it says that nothing was left, whenever it is woken.
 * Wakes during a round lead to one more round; a failure waits for the next wake.
 */
export class WokenLoop {
  readonly #work: () => Promise<number>;
  readonly #logger: Logger;
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;
  #failing = false;

  constructor(work: () => Promise<number>, logger: Logger) {
    this.#work = work;
    this.#logger = logger;
  }

  wake(): void {
    if (this.#closed) return;
    this.#again = true;
    this.#running ??= this.#rounds();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #rounds(): Promise<void> {
    try {
      while (this.#again && !this.#closed) {
        this.#again = false;
        while ((await this.#work()) > 0 && !this.#closed);
        this.#failing = false;
      }
    } catch (err) {
      // Said once: it is tried again at every tick.
      if (!this.#failing) this.#logger.error({ err }, 'background work failed and will be tried again');
      this.#failing = true;
    } finally {
      this.#running = undefined;
    }
  }
}
