import { setTimeout as wait } from 'node:timers/promises';
import type { CopyProgress, Promotion } from '@waybill/contracts/http';
import { ApiProblem } from '../api-client/api-problem.js';
import type { WaybillApi } from '../api-client/waybill-api.js';

const pollMs = 200;
/** While there is a stream: it may be held back by a proxy, and not everything that is shown is an event. */
const seldomMs = 5_000;

export interface AwaitOptions {
  readonly onUpdate: (promotion: Promotion) => void;
  /** Bytes under way; never called where streams do not come through. */
  readonly onProgress?: (progress: CopyProgress) => void;
  /** Called once for each time that the API goes away. */
  readonly onSilence: (problem: ApiProblem) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Follows a promotion until no target, replicas included, has anything left to do. Events say that something has changed, and
 * the promotion is read again; where no stream comes through, it is read again and again. An API that is away is asked again.
 */
export async function awaitPromotion(api: WaybillApi, id: string, options: AwaitOptions): Promise<Promotion> {
  const over = new AbortController();
  const signal = options.signal === undefined ? over.signal : AbortSignal.any([options.signal, over.signal]);
  const looks = new Looks(api, id, options);
  const following = follow(api, id, { looks, signal, onProgress: options.onProgress }).catch((error: unknown) => {
    if (!over.signal.aborted) throw error;
  });
  try {
    // Following ends by itself only when it is interrupted.
    return await Promise.race([looks.settled, following.then(() => looks.settled)]);
  } finally {
    over.abort();
    await following.catch(() => undefined);
  }
}

interface Following extends Pick<AwaitOptions, 'onProgress'> {
  readonly looks: Looks;
  readonly signal: AbortSignal;
}

async function follow(api: WaybillApi, id: string, following: Following): Promise<void> {
  const { looks, signal } = following;
  const stream = new Stream(api, id, following);
  const seldom = setInterval(() => looks.again(), seldomMs);
  try {
    for (;;) {
      await stream.read();
      looks.again();
      await wait(pollMs, undefined, { signal });
    }
  } finally {
    clearInterval(seldom);
  }
}

/** The stream of one promotion, which goes on where it was cut. */
class Stream {
  #after: string | undefined;
  #isRefused = false;

  constructor(
    private readonly api: WaybillApi,
    private readonly id: string,
    private readonly following: Following,
  ) {}

  /** Resolves when it ends; at once when streams do not come through here. Rejects with the signal's reason. */
  async read(): Promise<void> {
    if (this.#isRefused) return;
    const { looks, signal, onProgress } = this.following;
    try {
      for await (const event of this.api.promotionEvents(this.id, { after: this.#after, signal })) {
        this.#after = event.id ?? this.#after;
        if (event.name === 'progress') onProgress?.(event.data);
        else looks.again();
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ApiProblem)) throw error;
      // Of an API that is away the next look tells.
      this.#isRefused = !error.retryable;
    }
  }
}

/** Reads the promotion whenever it is told to, never twice at once. */
class Looks {
  /** Resolves with the promotion when nothing of it is left to do. */
  readonly settled: Promise<Promotion>;
  readonly #look: () => Promise<Promotion | undefined>;
  #resolve: (promotion: Promotion) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #isWanted = false;
  #isLooking = false;
  #isOver = false;

  constructor(api: WaybillApi, id: string, { onUpdate, onSilence }: AwaitOptions) {
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever follows may be interrupted before anybody waits for this.
    this.settled.catch(() => undefined);
    let isSilent = false;
    this.#look = async () => {
      const found = await look(api, id);
      if (found instanceof ApiProblem) {
        if (!isSilent) onSilence(found);
        isSilent = true;
        return undefined;
      }
      isSilent = false;
      onUpdate(found);
      return found.settled ? found : undefined;
    };
  }

  again(): void {
    this.#isWanted = true;
    if (!this.#isLooking) void this.#lookWhileWanted();
  }

  /** Never rejects. */
  async #lookWhileWanted(): Promise<void> {
    this.#isLooking = true;
    try {
      while (this.#isWanted && !this.#isOver) {
        this.#isWanted = false;
        const settled = await this.#look();
        if (settled === undefined) continue;
        this.#isOver = true;
        this.#resolve(settled);
      }
    } catch (error) {
      this.#isOver = true;
      this.#reject(error);
    } finally {
      this.#isLooking = false;
    }
  }
}

async function look(api: WaybillApi, id: string): Promise<Promotion | ApiProblem> {
  try {
    return await api.promotion(id);
  } catch (error) {
    if (error instanceof ApiProblem && error.retryable) return error;
    throw error;
  }
}
