import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Outbox } from '@waybill/persistence';
import type { Job } from '@waybill/queue';
import { buildImage } from '@waybill/testing';
import { RecordedPromotions } from '../../recorded-promotions.spec-helper.js';
import { RelayOutbox } from './relay-outbox.js';

const { manifest } = buildImage();

/** A queue that notes what it was given, as it would store it, or is away. */
class NotedQueue {
  readonly ids: string[] = [];
  isAway = false;

  async add<Payload>(job: Job<Payload>, payloads: readonly Payload[]): Promise<void> {
    if (this.isAway) throw new Error('the queue is away');
    this.ids.push(...payloads.map((payload) => job.prepare(payload).id));
  }
}

describe('RelayOutbox', () => {
  let recorded: RecordedPromotions;
  let queue: NotedQueue;
  let relayOutbox: RelayOutbox;

  beforeAll(async () => {
    recorded = await RecordedPromotions.open();
  });

  afterAll(() => recorded.close());

  beforeEach(() => {
    queue = new NotedQueue();
    relayOutbox = new RelayOutbox(new Outbox(recorded.database), queue);
  });

  it('gives the queue one job per location of a promotion, once', async () => {
    const id = await recorded.request(manifest);

    expect(await relayOutbox.relay()).toBe(2);
    expect(await relayOutbox.relay()).toBe(0);

    expect(queue.ids.sort()).toEqual([`${id}.eu.1`, `${id}.us.1`]);
  });

  it('keeps the messages while the queue is away', async () => {
    await recorded.request(manifest);
    queue.isAway = true;
    await expect(relayOutbox.relay()).rejects.toThrow('the queue is away');

    queue.isAway = false;

    expect(await relayOutbox.relay()).toBe(2);
  });

  it('gives each message to one of two relays', async () => {
    const ids = [await recorded.request(manifest), await recorded.request(manifest)];
    const other = new RelayOutbox(new Outbox(recorded.database), queue);

    await Promise.all([relayOutbox.relay(), other.relay()]);

    expect(queue.ids.sort()).toEqual(ids.flatMap((id) => [`${id}.eu.1`, `${id}.us.1`]).sort());
  });
});
