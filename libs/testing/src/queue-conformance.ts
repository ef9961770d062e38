import { jestGlobals } from './jest-globals.js';
import { describeClosing } from './queue-conformance/closing.contract.js';
import { describeDelivery } from './queue-conformance/delivery.contract.js';
import { type QueueBackendFixture, Queues } from './queue-conformance/fixture.js';
import { describeLosses } from './queue-conformance/losses.contract.js';
import { describeOutages } from './queue-conformance/outages.contract.js';

/**
 * What `JobQueue` promises, as tests. Every backend passes all of it; `start` gives a real server of its own,
 * because the suite stops it.
 */
export function describeJobQueue(name: string, start: () => Promise<QueueBackendFixture>): void {
  describeOn(`the queue on ${name}`, start, (queues, backend) => {
    describeDelivery(queues);
    describeClosing(queues);
    describeLosses(queues, backend);
    describeOutages(queues, backend);
  });
}

/** The part of the suite that is about outages, for another way in which the same backend can be away. */
export function describeQueueOutages(name: string, start: () => Promise<QueueBackendFixture>): void {
  describeOn(`the queue on ${name}`, start, describeOutages);
}

function describeOn(
  title: string,
  start: () => Promise<QueueBackendFixture>,
  suite: (queues: Queues, backend: () => QueueBackendFixture) => void,
): void {
  const { afterAll, afterEach, beforeAll, describe } = jestGlobals();

  describe(title, () => {
    let backend: QueueBackendFixture;
    const queues = new Queues(() => backend.config);

    beforeAll(async () => {
      backend = await start();
    });
    afterEach(() => queues.dispose());
    afterAll(() => backend.dispose());

    suite(queues, () => backend);
  });
}
