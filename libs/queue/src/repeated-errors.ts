import { type Clock, systemClock } from '@waybill/kernel';

const quietMs = 60_000;
const mostKinds = 64;

/** Knows which errors were told of within the last minute, so that a broken backend does not fill the log. */
export class RepeatedErrors {
  readonly #toldAt = new Map<string, number>();
  readonly #clock: Clock;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Whether this error is to be told; counts as told then. */
  isNews(error: Error): boolean {
    const now = this.#clock.monotonic();
    const told = this.#toldAt.get(error.message);
    if (told !== undefined && now - told < quietMs) return false;
    if (this.#toldAt.size >= mostKinds) this.#toldAt.clear();
    this.#toldAt.set(error.message, now);
    return true;
  }
}
