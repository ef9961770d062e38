import type { Delivery, NotificationIntake } from '@waybill/persistence';
import { ApiError } from '../../http/api-error.js';

/** Events of all that wait. Beyond these nobody is let wait any more. */
const maxWaiting = 20_000;
/** Deliveries of one transaction. */
const atOnce = 100;
const retryAfterMs = 1_000;

interface Waiting {
  readonly delivery: Delivery;
  readonly kept: () => void;
  readonly lost: (error: unknown) => void;
}

/** Writes what came while something was being written together: one connection serves however many registries there are. */
export class GatherDeliveries {
  readonly #intake: Pick<NotificationIntake, 'take'>;
  #waiting: Waiting[] = [];
  #events = 0;
  #isWriting = false;

  constructor(intake: Pick<NotificationIntake, 'take'>) {
    this.#intake = intake;
  }

  /** Resolves when it is kept. @throws ApiError `unavailable` when too many wait already */
  take(delivery: Delivery): Promise<void> {
    if (this.#events >= maxWaiting) {
      throw new ApiError('too many notifications wait to be written', { code: 'unavailable', retryable: true, retryAfterMs });
    }
    return new Promise((kept, lost) => {
      this.#waiting.push({ delivery, kept, lost });
      this.#events += weightOf(delivery);
      if (!this.#isWriting) void this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const some = this.#waiting.splice(0, atOnce);
      for (const { delivery } of some) this.#events -= weightOf(delivery);
      if (!(await this.#write(some)) && some.length > 1) for (const one of some) await this.#write([one]);
    }
    this.#isWriting = false;
  }

  /** Of several, one may be to blame for all: then each is tried by itself. */
  async #write(some: readonly Waiting[]): Promise<boolean> {
    try {
      await this.#intake.take(some.map(({ delivery }) => delivery));
      for (const { kept } of some) kept();
      return true;
    } catch (error) {
      if (some.length === 1) for (const { lost } of some) lost(error);
      return false;
    }
  }
}

/** A delivery that tells nothing of use takes its place as well. */
function weightOf({ told, heartbeats }: Delivery): number {
  return 1 + told.length + heartbeats.length;
}
