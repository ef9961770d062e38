import type { Schedules } from '@waybill/persistence';

/** What is kept for a time only. */
export interface Purgeable {
  /** Removes a batch of what is past its time; gives how many. */
  purge(): Promise<number>;
}

/** Removes what is past its time, when its schedule says so; the schedule's row lets one worker do it. */
export class PurgeExpired {
  readonly #schedules: Pick<Schedules, 'claim'>;
  readonly #schedule: string;
  readonly #kept: Purgeable;
  #isOurs = false;

  constructor(schedules: Pick<Schedules, 'claim'>, schedule: string, kept: Purgeable) {
    this.#schedules = schedules;
    this.#schedule = schedule;
    this.#kept = kept;
  }

  /** One batch; gives how many were removed. What failed once it was ours is ours at the next call. */
  async purge(): Promise<number> {
    this.#isOurs ||= await this.#schedules.claim(this.#schedule);
    if (!this.#isOurs) return 0;
    const removed = await this.#kept.purge();
    if (removed === 0) this.#isOurs = false;
    return removed;
  }
}
