import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { QueueConfig } from '@waybill/config';
import { Outbox } from '@waybill/persistence';
import { type JobQueue, openQueue, runPromotionJob, runPromotionQueue } from '@waybill/queue';
import { buildImage, describeWith, startRedis, until } from '@waybill/testing';
import { logged } from './infrastructure/logged.spec-helper.js';
import { RecordedPromotions } from './recorded-promotions.spec-helper.js';
import { RelayOutbox } from './features/relay-outbox/relay-outbox.js';

const { manifest } = buildImage();

interface QueueUnderTest {
  readonly config: QueueConfig;
  stop(): Promise<void>;
}

describe('jobs sent again to a queue on PostgreSQL', () => {
  describeResentJobs(({ server }) =>
    Promise.resolve({ config: { kind: 'postgres', url: server.queueUrl }, stop: () => Promise.resolve() }),
  );
});

describeWith('redis-server', 'jobs sent again to a queue on Redis', () => {
  describeResentJobs(async () => {
    const redis = await startRedis();
    return { config: { kind: 'redis', url: redis.url }, stop: () => redis.stop() };
  });
});

function describeResentJobs(start: (recorded: RecordedPromotions) => Promise<QueueUnderTest>): void {
  let recorded: RecordedPromotions;
  let server: QueueUnderTest;
  let queue: JobQueue;
  let outbox: Outbox;

  beforeEach(async () => {
    recorded = await RecordedPromotions.open();
    server = await start(recorded);
    queue = await openQueue(server.config, { logger: logged().logger });
    outbox = new Outbox(recorded.database);
  });

  afterEach(async () => {
    await queue.close();
    await server.stop();
    await recorded.close();
  });

  it('are one job for a promotion that nobody takes, however often it is sent', async () => {
    const relayOutbox = new RelayOutbox(outbox, queue);
    const waiting = await recorded.request(manifest);
    await relayOutbox.relay();
    for (let minute = 0; minute < 3; minute += 1) {
      await recorded.database.tables.$executeRaw`UPDATE dispatch SET due_at = now()`;
      expect(await outbox.redispatchDue()).toBe(2);
      await relayOutbox.relay();
    }
    const last = await recorded.request(manifest);
    await relayOutbox.relay();

    const taken: string[] = [];
    const take = async ({ promotionId }: { readonly promotionId: string }): Promise<void> => void taken.push(promotionId);
    queue.consume(runPromotionJob, runPromotionQueue('eu'), take, { concurrency: 1 });
    await until('the last job was taken', () => taken.includes(last));

    expect(taken).toEqual([waiting, last]);
  });
}
