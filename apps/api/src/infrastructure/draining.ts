import type { Server } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

/** How often connections are looked for that have become idle, in milliseconds. */
const lookMs = 100;

export interface DrainingOptions {
  /** How long readiness says no before no more connections are taken, in milliseconds. */
  readonly noticeMs: number;
  /** How long requests that are open may take from then on, in milliseconds. */
  readonly drainMs: number;
}

/** The end of this process as its clients see it: it is told first, then no more is taken, then what is open is finished. */
export class Draining {
  readonly #options: DrainingOptions;
  #isUnderWay = false;
  #looking: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;

  constructor(options: DrainingOptions) {
    this.#options = options;
  }

  /** Nobody should send anything more here. */
  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** Resolves when whoever spreads requests has had the time to notice. */
  async announce(): Promise<void> {
    this.#isUnderWay = true;
    await wait(this.#options.noticeMs);
  }

  /** For a server that is about to be closed: ends connections as they become idle, and after the time to drain all of them. */
  endConnections(server: Server): void {
    this.#looking = setInterval(() => server.closeIdleConnections(), lookMs);
    this.#deadline = setTimeout(() => server.closeAllConnections(), this.#options.drainMs);
  }

  /** The server is closed. */
  ended(): void {
    clearInterval(this.#looking);
    clearTimeout(this.#deadline);
  }
}
