import { setMaxListeners } from 'node:events';

/** A signal of our own that follows another one until it is released. */
export class LinkedAbort {
  readonly #controller = new AbortController();
  readonly #follow = (): void => this.#controller.abort(this.parent?.reason);

  constructor(private readonly parent: AbortSignal | undefined) {
    // Every request under way listens, as many as the limits allow: that is no leak, as Node would warn.
    setMaxListeners(0, this.signal);
    parent?.addEventListener('abort', this.#follow, { once: true });
    if (parent?.aborted === true) this.#follow();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason?: unknown): void {
    this.#controller.abort(reason);
  }

  /** Lets go of the signal that was followed. */
  release(): void {
    this.parent?.removeEventListener('abort', this.#follow);
  }
}
