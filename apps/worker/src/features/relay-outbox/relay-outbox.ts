import type { Outbox } from '@waybill/persistence';
import { type JobQueue, runPromotionJob } from '@waybill/queue';

/** Hands the outbox's messages to the queue; gives how many. */
export class RelayOutbox {
  readonly #outbox: Pick<Outbox, 'relay'>;
  readonly #queue: Pick<JobQueue, 'add'>;

  constructor(outbox: Pick<Outbox, 'relay'>, queue: Pick<JobQueue, 'add'>) {
    this.#outbox = outbox;
    this.#queue = queue;
  }

  relay(): Promise<number> {
    return this.#outbox.relay((messages) =>
      this.#queue.add(
        runPromotionJob,
        messages.map((message) => ({ v: 1, ...message })),
      ),
    );
  }
}
