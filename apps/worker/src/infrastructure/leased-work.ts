/** What this process does under leases, some pieces at once, until it is stopped. */
export class LeasedWork {
  readonly #running = new Set<Promise<void>>();
  readonly #shutdown = new AbortController();

  /** Aborted when the process is to stop: whoever holds a lease hands it over. */
  get shutdown(): AbortSignal {
    return this.#shutdown.signal;
  }

  /** Whether there is room for one more of `concurrency`, and the process goes on. */
  mayBegin(concurrency: number): boolean {
    return this.#running.size < concurrency && !this.#shutdown.signal.aborted;
  }

  /** `work` never rejects. `onEnd` is called when it has ended. */
  begin(work: Promise<void>, onEnd: () => void): void {
    const running: Promise<void> = work.finally(() => {
      this.#running.delete(running);
      onEnd();
    });
    this.#running.add(running);
  }

  /** Ends what is under way, and resolves when the last has handed over what it held. */
  async close(): Promise<void> {
    this.#shutdown.abort(new Error('the worker is stopped'));
    await Promise.all(this.#running);
  }
}
