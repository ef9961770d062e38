/**
 * What ends a run before its time: the user's wish, or the first thing that went wrong. Everything that
 * waits listens to one signal, and the reason of it all is kept.
 */
export class FirstFailure {
  readonly #asked: AbortSignal;
  readonly #failed = new AbortController();
  /** Aborted by either. */
  readonly signal: AbortSignal;

  constructor(asked: AbortSignal) {
    this.#asked = asked;
    this.signal = AbortSignal.any([asked, this.#failed.signal]);
  }

  /** Only the first is kept: later ones are mostly its consequences. */
  report(error: unknown): void {
    if (!this.signal.aborted) this.#failed.abort(error);
  }

  /** Why the run ended: what was reported first, else `error`; what follows a wish to stop is no failure. */
  reasonOf(error: unknown): unknown {
    if (this.#asked.aborted) return this.#asked.reason;
    return this.#failed.signal.aborted ? this.#failed.signal.reason : error;
  }

  /**
   * All results. When one fails the others are told to end, and they are waited for: what was started
   * meanwhile is known then, and can be stopped. Rejects with what failed first, whichever stands first.
   */
  async all<Results extends readonly unknown[]>(tasks: { readonly [Index in keyof Results]: Promise<Results[Index]> }): Promise<Results> {
    const watched = tasks.map((task) => task.catch((error: unknown) => this.report(error)));
    await Promise.allSettled(watched);
    this.#failed.signal.throwIfAborted();
    return Promise.all(tasks) as Promise<unknown> as Promise<Results>;
  }
}
