import type { IdempotencyKeys, Schedules } from '@waybill/persistence';

const schedule = 'purge-idempotency-keys';

/** Removes Idempotency-Keys that are past their 24 hours; the schedule's row lets one worker do it. */
export class PurgeIdempotencyKeys {
  readonly #schedules: Pick<Schedules, 'claim'>;
  readonly #keys: Pick<IdempotencyKeys, 'purge'>;
  #isOurs = false;

  constructor(schedules: Pick<Schedules, 'claim'>, keys: Pick<IdempotencyKeys, 'purge'>) {
    this.#schedules = schedules;
    this.#keys = keys;
  }

  /** One batch; gives how many were removed. What failed once it was ours is ours at the next call. */
  async purge(): Promise<number> {
    this.#isOurs ||= await this.#schedules.claim(schedule);
    if (!this.#isOurs) return 0;
    const removed = await this.#keys.purge();
    if (removed === 0) this.#isOurs = false;
    return removed;
  }
}
