import { EventEmitter, once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from '@waybill/observability';
import type { EventLog, EventPage, EventRow } from '@waybill/persistence';
import pLimit from 'p-limit';

/** Rows kept for all readers together: whoever is not further behind costs the database nothing. */
const maxKept = 2_000;
const pageSize = 500;
/** Readers that are further behind read from the database, this many at a time. */
const readsInParallel = 4;
const retryMs = 1_000;

export interface FeedPage {
  readonly rows: readonly EventRow[];
  /** Everything up to here has been given, if only the rows are given on. */
  readonly upTo: bigint;
  /** There may be more. */
  readonly isFull: boolean;
}

export interface EventFeedOptions {
  readonly log: Pick<EventLog, 'read' | 'bounds'>;
  readonly logger: Logger;
  /** Default 2,000. */
  readonly maxKept?: number;
}

/**
 * The newest events, read once for all readers of this process. Each reader asks at its own pace for what
 * follows its position, so a slow one is kept nothing for: memory is bounded whatever the number of readers.
 */
export class EventFeed {
  readonly #options: EventFeedOptions;
  readonly #advanced = new EventEmitter().setMaxListeners(0);
  readonly #reads = pLimit(readsInParallel);
  readonly #closed = new AbortController();
  /** Every row after `#from` up to `#upTo`, oldest first. */
  #kept: EventRow[] = [];
  #from = 0n;
  #upTo: bigint | undefined;
  #starting: Promise<void> | undefined;
  #reading: Promise<void> | undefined;
  #isStale = false;

  constructor(options: EventFeedOptions) {
    this.#options = options;
  }

  /** There may be news. Nothing is read before the first reader has come. */
  wake(): void {
    if (this.#upTo === undefined || this.#closed.signal.aborted) return;
    this.#isStale = true;
    this.#reading ??= this.#catchUp().finally(() => (this.#reading = undefined));
  }

  /** What follows a position, from memory where it is there. Of one promotion when that is named. */
  async read(page: EventPage): Promise<FeedPage> {
    await this.#start();
    const { after, limit, promotionId } = page;
    // Whatever is read from the database after this shows at least everything up to here.
    const seen = this.#upTo ?? 0n;
    const rows =
      after >= this.#from
        ? this.#kept.filter((row) => row.id > after && (promotionId ?? row.promotionId) === row.promotionId).slice(0, limit)
        : await this.#reads(() => this.#options.log.read(page));
    const last = rows.at(-1)?.id ?? after;
    const isFull = rows.length === limit;
    return { rows, isFull, upTo: isFull || last > seen ? last : later(seen, after) };
  }

  /** Resolves when there is more than that; rejects when the signal is aborted, and when the feed is closed. */
  async beyond(position: bigint, signal: AbortSignal): Promise<void> {
    await this.#start();
    if ((this.#upTo ?? 0n) > position) return;
    this.#closed.signal.throwIfAborted();
    // Ended by an event too when the feed is closed: of every signal that is made of one, that one keeps a trace.
    await once(this.#advanced, 'advanced', { signal });
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('the feed is closed'));
    if (this.#advanced.listenerCount('error') > 0) this.#advanced.emit('error', this.#closed.signal.reason);
    await this.#reading;
  }

  /** The first reader waits until it is known where the feed begins. */
  async #start(): Promise<void> {
    if (this.#upTo !== undefined) return;
    this.#starting ??= this.#options.log
      .bounds()
      .then(({ latest }) => {
        this.#from = latest;
        this.#upTo = latest;
        // What was told of meanwhile was told to nobody.
        this.wake();
      })
      .finally(() => (this.#starting = undefined));
    await this.#starting;
  }

  /** Never rejects. */
  async #catchUp(): Promise<void> {
    while (this.#isStale && !this.#closed.signal.aborted) {
      this.#isStale = false;
      try {
        while ((await this.#readPage()) === pageSize);
      } catch (err) {
        this.#options.logger.warn({ err }, 'events could not be read and will be read again');
        await wait(retryMs, undefined, { signal: this.#closed.signal }).catch(() => undefined);
        this.#isStale = true;
      }
    }
  }

  async #readPage(): Promise<number> {
    const rows = await this.#options.log.read({ after: this.#upTo ?? 0n, limit: pageSize });
    const newest = rows.at(-1);
    if (newest === undefined) return 0;
    this.#kept.push(...rows);
    const dropped = this.#kept.splice(0, Math.max(0, this.#kept.length - (this.#options.maxKept ?? maxKept)));
    this.#from = dropped.at(-1)?.id ?? this.#from;
    this.#upTo = newest.id;
    this.#advanced.emit('advanced');
    return rows.length;
  }
}

function later(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
