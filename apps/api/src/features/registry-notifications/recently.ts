import type { Clock } from '@waybill/kernel';

export interface RecentlyOptions {
  readonly forMs: number;
  /** The oldest is forgotten beyond so many. */
  readonly max: number;
  readonly clock: Clock;
}

/** What has just been written, and need not be written again. */
export class Recently {
  readonly #options: RecentlyOptions;
  readonly #since = new Map<string, number>();

  constructor(options: RecentlyOptions) {
    this.#options = options;
  }

  has(what: string): boolean {
    const since = this.#since.get(what);
    return since !== undefined && this.#options.clock.monotonic() - since < this.#options.forMs;
  }

  note(what: string): void {
    this.#since.delete(what);
    this.#since.set(what, this.#options.clock.monotonic());
    const [oldest] = this.#since.keys();
    if (oldest !== undefined && this.#since.size > this.#options.max) this.#since.delete(oldest);
  }
}
