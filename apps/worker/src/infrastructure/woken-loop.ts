import type { Logger } from '@waybill/observability';

/**
 * Repeats a piece of work until it says that nothing was left, whenever it is woken; never twice at once.
 * Wakes during a round lead to one more round; a failure waits for the next wake.
 */
export class WokenLoop {
  readonly #work: () => Promise<number>;
  readonly #logger: Logger;
  #rounds: Promise<void> = Promise.resolve();
  #isRunning = false;
  #isWoken = false;
  #isClosed = false;
  #isFailing = false;

  /** `work` gives how much it did. */
  constructor(work: () => Promise<number>, logger: Logger) {
    this.#work = work;
    this.#logger = logger;
  }

  wake(): void {
    if (this.#isClosed) return;
    this.#isWoken = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#rounds = this.#run();
  }

  /** Resolves when the work under way has ended; later wakes do nothing. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#rounds;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    try {
      while (this.#takeWake()) {
        while ((await this.#work()) > 0 && this.#isOpen());
        this.#succeeded();
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isRunning = false;
    }
  }

  #takeWake(): boolean {
    const wasWoken = this.#isWoken;
    this.#isWoken = false;
    return wasWoken && this.#isOpen();
  }

  #isOpen(): boolean {
    return !this.#isClosed;
  }

  #succeeded(): void {
    if (this.#isFailing) this.#logger.info('background work goes on');
    this.#isFailing = false;
  }

  /** Said once: it is tried again at every tick. */
  #failed(err: unknown): void {
    if (!this.#isFailing) this.#logger.error({ err }, 'background work failed and will be tried again');
    this.#isFailing = true;
  }
}
