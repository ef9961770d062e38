import { settled } from './gate.spec-helper.js';
import type { LeaseTime } from './keep-lease.js';

interface Waiting {
  readonly until: number;
  wake(): void;
}

/** Time that passes when a spec says so. */
export class SteppedTime implements LeaseTime {
  readonly #waiting = new Set<Waiting>();
  #now = 0;

  /** How many wait for a later time. */
  get waiting(): number {
    return this.#waiting.size;
  }

  monotonic(): number {
    return this.#now;
  }

  wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = {
        until: this.#now + ms,
        wake: () => {
          this.#waiting.delete(waiting);
          signal.removeEventListener('abort', waiting.wake);
          resolve();
        },
      };
      this.#waiting.add(waiting);
      signal.addEventListener('abort', waiting.wake);
    });
  }

  /** Lets time pass, from one awaited moment to the next. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.until);
      next.wake();
      await settled();
    }
    this.#now = end;
  }

  /** Lets time pass while the process does nothing, as when the machine was put to sleep. */
  async sleep(ms: number): Promise<void> {
    await settled();
    this.#now += ms;
    await this.pass(0);
  }

  #next(end: number): Waiting | undefined {
    return [...this.#waiting].filter(({ until }) => until <= end).sort((one, other) => one.until - other.until)[0];
  }
}
