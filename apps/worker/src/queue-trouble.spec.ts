import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadWorkerConfig } from '@waybill/config';
import { buildImage, controlQueueRole, describeWith, pushBuilt, startRedis, startTcpProxy, type TcpProxy, until } from '@waybill/testing';
import { type Logged, logged } from './infrastructure/logged.spec-helper.js';
import { oneTag, RecordedPromotions, repository, requiredAt, topologyAt } from './recorded-promotions.spec-helper.js';
import { RegistryUnderTest } from './registry-under-test.spec-helper.js';
import { type RunningWorker, startWorker } from './start-worker.js';

const image = buildImage();

/** A queue's backend that can be troubled, and what becomes of it. */
interface TroubledQueue {
  readonly environment: Readonly<Record<string, string>>;
  /** It answers nobody. */
  takeAway(): Promise<void>;
  /** It answers again, with what it held. */
  bringBack(): Promise<void>;
  /** It forgets every job, and goes on. */
  lose(): Promise<void>;
  stop(): Promise<void>;
}

describe('a promotion whose queue is in trouble on PostgreSQL', () => {
  describeTrouble(({ server }) => {
    const role = controlQueueRole(server);
    return Promise.resolve({
      environment: { WAYBILL_QUEUE_DATABASE_URL: server.queueUrl },
      takeAway: () => role.lockOut(),
      bringBack: () => role.letIn(),
      lose: () => role.empty(),
      stop: () => role.close(),
    });
  });
});

describeWith('redis-server', 'a promotion whose queue is in trouble on Redis', () => {
  describe('that is restarted, or flushed', () => {
    describeTrouble(async () => {
      const redis = await startRedis();
      return {
        environment: { REDIS_URL: redis.url },
        takeAway: async () => void process.kill(redis.pid, 'SIGKILL'),
        bringBack: () => redis.restart(),
        lose: () => redis.flush(),
        stop: () => redis.stop(),
      };
    });
  });

  describe('that fails over to an empty one', () => {
    describeTrouble(async () => {
      const first = await startRedis();
      const second = await startRedis();
      const address = await startTcpProxy(first.port);
      const failOver = async (): Promise<void> => {
        await address.refuse();
        address.leadTo(second.port);
        await address.flow();
      };
      return {
        environment: { REDIS_URL: `redis://127.0.0.1:${address.port}` },
        takeAway: () => address.refuse(),
        bringBack: failOver,
        lose: failOver,
        async stop() {
          await address.stop();
          await first.stop();
          await second.stop();
        },
      };
    });
  });
});

function describeTrouble(startQueue: (recorded: RecordedPromotions) => Promise<TroubledQueue>): void {
  let ci: RegistryUnderTest;
  let prod: RegistryUnderTest;
  let toProd: TcpProxy;
  let recorded: RecordedPromotions;
  let queue: TroubledQueue;
  let worker: RunningWorker | undefined;
  let log: Logged;

  beforeAll(async () => {
    ci = await RegistryUnderTest.start();
    const source = ci.repository(repository);
    await pushBuilt(source, image);
    await source.putTag(oneTag, image.manifest);
  });

  beforeEach(async () => {
    prod = await RegistryUnderTest.start();
    toProd = await startTcpProxy(prod.port);
    recorded = await RecordedPromotions.open(topologyAt({ ci: ci.url, prod: `http://127.0.0.1:${toProd.port}` }));
    queue = await startQueue(recorded);
    log = logged();
  });

  afterEach(async () => {
    await toProd.flow();
    await worker?.app.close();
    worker = undefined;
    await queue.stop();
    await recorded.close();
    await toProd.stop();
    await prod.stop();
  });

  afterAll(() => ci.stop());

  async function start(): Promise<void> {
    const environment = { DATABASE_URL: recorded.server.url, WAYBILL_WORKER_DRAIN_MS: '0', ...queue.environment };
    worker = await startWorker({ config: loadWorkerConfig(environment), logger: log.logger });
  }

  const request = (): Promise<string> => recorded.request(image.manifest, [requiredAt('prod')]);
  const isTaken = async (id: string): Promise<boolean> => (await recorded.dispatchOf(id)).isHeld;
  const outboxIsEmpty = async (): Promise<boolean> => (await recorded.database.tables.outbox.count()) === 0;
  const isReady = async (): Promise<boolean> => (await fetch(`http://127.0.0.1:${worker?.port}/health/ready`)).status === 200;

  /** As if the time had passed after which a job that nobody took is sent again. */
  async function resend(id: string): Promise<void> {
    await recorded.database.tables.$executeRaw`
      UPDATE dispatch SET due_at = now() WHERE promotion_id = ${id}::uuid AND state = 'queued'`;
  }

  /** It arrived, by one attempt, with one write of its tag and one record for each effect. */
  async function expectDoneOnce(id: string): Promise<void> {
    await until('the promotion has ended', async () => (await recorded.promotion(id)).state === 'succeeded');
    const { items } = await recorded.promotion(id);
    expect(items[0]?.targets.map(({ outcome, attempts }) => [outcome, attempts])).toEqual([['copied', 1]]);
    expect(prod.requests.filter((line) => line === `PUT /v2/${repository}/manifests/${oneTag}`)).toHaveLength(1);
    const effects = await recorded.database.tables.effect.findMany({ where: { promotionId: id }, include: { record: true } });
    expect(effects.map(({ kind, state, record }) => [kind, state, record !== null]).sort()).toEqual([
      ['manifest', 'settled', true],
      ['tag', 'settled', true],
    ]);
    expect(log.lines.filter(({ level }) => level === 'fatal')).toEqual([]);
  }

  it('waits for a queue that is away at its request', async () => {
    await start();
    await queue.takeAway();
    const id = await request();
    await until('the queue is missed', async () => !(await isReady()));
    expect((await recorded.promotion(id)).state).toBe('requested');

    await queue.bringBack();

    await resend(id);
    await expectDoneOnce(id);
  });

  it('is sent again when the queue lost it while no worker was there', async () => {
    await start();
    await until('the worker can work', isReady);
    toProd.hang();
    const first = await request();
    await until('the first is taken', () => isTaken(first));
    await worker?.app.close();
    worker = undefined;
    await queue.lose();
    await toProd.flow();

    await start();
    await resend(first);

    await until('the promotion has ended', async () => (await recorded.promotion(first)).state === 'succeeded');
  });

  it('goes on while the queue is away, and is not run twice when it is back', async () => {
    await start();
    toProd.hang();
    const id = await request();
    await until('a worker has it', () => isTaken(id));
    await until('the job left the outbox', outboxIsEmpty);

    await queue.takeAway();
    await toProd.flow();

    await expectDoneOnce(id);
    await queue.bringBack();
    const next = await request();
    await until('the queue carries again', async () => {
      await resend(next);
      return (await recorded.promotion(next)).state === 'succeeded';
    });
    await expectDoneOnce(id);
  });

  it('goes on while the queue loses everything in the middle of it', async () => {
    await start();
    toProd.hang();
    const id = await request();
    await until('a worker has it', () => isTaken(id));

    await queue.lose();
    await toProd.flow();

    await expectDoneOnce(id);
  });
}
