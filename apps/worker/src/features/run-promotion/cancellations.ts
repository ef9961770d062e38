import { cancelled } from '@waybill/promotion';

/** Tells a run under way that its promotion is cancelled. */
export interface CancellationWatch {
  /** Aborted with PromotionError `cancelled`. */
  readonly signal: AbortSignal;
  /** The run is over. */
  end(): void;
}

/** Looks for cancellations of the promotions that this process runs now. Whoever wakes it only hints: the rows tell. */
export class Cancellations {
  readonly #cancelledAmong: (promotionIds: readonly string[]) => Promise<ReadonlySet<string>>;
  /** One promotion may run at several locations at once. */
  readonly #running = new Map<AbortController, string>();

  constructor(cancelledAmong: (promotionIds: readonly string[]) => Promise<ReadonlySet<string>>) {
    this.#cancelledAmong = cancelledAmong;
  }

  watch(promotionId: string): CancellationWatch {
    const stop = new AbortController();
    this.#running.set(stop, promotionId);
    return { signal: stop.signal, end: () => void this.#running.delete(stop) };
  }

  /** Asks nothing while nothing runs. There is never more to do: gives 0. */
  async look(): Promise<0> {
    const found = this.#running.size === 0 ? new Set() : await this.#cancelledAmong([...new Set(this.#running.values())]);
    for (const [stop, promotionId] of this.#running) if (found.has(promotionId)) stop.abort(cancelled());
    return 0;
  }
}
