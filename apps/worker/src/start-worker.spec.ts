import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ModulesContainer } from '@nestjs/core';
import { loadWorkerConfig, type WorkerConfig } from '@waybill/config';
import type { Health } from '@waybill/contracts/http';
import { TopologyRevisions } from '@waybill/persistence';
import { buildImage, describeWith, pushBuilt, startRedis, startTcpProxy, type TcpProxy, until } from '@waybill/testing';
import { Draining } from './infrastructure/draining.js';
import { type Logged, logged } from './infrastructure/logged.spec-helper.js';
import { oneTag, RecordedPromotions, repository, topologyAt } from './recorded-promotions.spec-helper.js';
import { RegistryUnderTest } from './registry-under-test.spec-helper.js';
import { type RunningWorker, startWorker } from './start-worker.js';

const image = buildImage();

/** What a queue's backend adds to the environment. */
interface QueueUnderTest {
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

describe('a worker with the queue on PostgreSQL', () => {
  describeWorker((recorded) =>
    Promise.resolve({ environment: { WAYBILL_QUEUE_DATABASE_URL: recorded.server.queueUrl }, stop: () => Promise.resolve() }),
  );
});

describeWith('redis-server', 'a worker with the queue on Redis', () => {
  describeWorker(async () => {
    const redis = await startRedis();
    return { environment: { REDIS_URL: redis.url }, stop: () => redis.stop() };
  });
});

function configOf(environment: Readonly<Record<string, string>>): WorkerConfig {
  return loadWorkerConfig({ WAYBILL_LOG_LEVEL: 'trace', WAYBILL_WORKER_DRAIN_MS: '0', ...environment });
}

async function healthOf({ port }: RunningWorker, which: 'live' | 'ready'): Promise<{ readonly status: number; readonly body: Health }> {
  const answer = await fetch(`http://127.0.0.1:${port}/health/${which}`);
  return { status: answer.status, body: (await answer.json()) as Health };
}

function describeWorker(startQueue: (recorded: RecordedPromotions) => Promise<QueueUnderTest>): void {
  let ci: RegistryUnderTest;
  let prod: RegistryUnderTest;
  let recorded: RecordedPromotions;
  let queue: QueueUnderTest;
  let log: Logged;
  let worker: RunningWorker;

  beforeAll(async () => {
    ci = await RegistryUnderTest.start();
    prod = await RegistryUnderTest.start();
    const source = ci.repository(repository);
    await pushBuilt(source, image);
    await source.putTag(oneTag, image.manifest);
  });

  beforeEach(async () => {
    recorded = await RecordedPromotions.open(topologyAt({ ci: ci.url, prod: prod.url, 'prod-us': ci.url }));
    queue = await startQueue(recorded);
    log = logged();
    const config = configOf({ DATABASE_URL: recorded.server.url, ...queue.environment });
    worker = await startWorker({ config, logger: log.logger });
  });

  afterEach(async () => {
    await worker.app.close();
    await queue.stop();
    await recorded.close();
  });

  afterAll(async () => {
    await ci.stop();
    await prod.stop();
  });

  it('makes every provider of every module', () => {
    const modules = [...worker.app.get(ModulesContainer).values()];
    const unresolved = modules.flatMap((module) =>
      [...module.providers.values(), ...module.controllers.values()]
        .filter((wrapper) => wrapper.isDependencyTreeStatic() && !wrapper.isTransient && wrapper.instance === undefined)
        .map(({ name }) => String(name)),
    );

    expect(modules.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['RunPromotionModule', 'RelayOutboxModule', 'RedispatchDueModule', 'LinkProvenanceModule', 'HealthModule']),
    );
    expect(unresolved).toEqual([]);
  });

  it('is alive, and ready when database and queue answer', async () => {
    expect(await healthOf(worker, 'live')).toEqual({ status: 200, body: { status: 'ok', parts: {} } });
    expect(await healthOf(worker, 'ready')).toEqual({
      status: 200,
      body: { status: 'ok', parts: { database: { status: 'ok' }, queue: { status: 'ok' } } },
    });
  });

  it('is not ready any more once it is told to end, and is alive until it has', async () => {
    worker.app.get(Draining).announce();

    expect(await healthOf(worker, 'ready')).toMatchObject({
      status: 503,
      body: { parts: { process: { problem: 'the process is stopping' } } },
    });
    expect((await healthOf(worker, 'live')).status).toBe(200);
  });

  it('tells its metrics, and those of the system', async () => {
    const answer = await fetch(`http://127.0.0.1:${worker.port}/metrics`);

    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await answer.text();
    expect(text).toContain('\nwaybill_database_up 1\n');
    expect(text).toContain('\nwaybill_outbox_age_seconds 0\n');
    expect(text).toContain('\nprocess_resident_memory_bytes ');
  });

  it('brings a promotion to its target and to the replica elsewhere, chains the record, and says no secret', async () => {
    const id = await recorded.request(image.manifest);

    await until('both targets are done', async () => {
      const { items } = await recorded.promotion(id);
      return items.every(({ targets }) => targets.every(({ state }) => state === 'done'));
    });

    expect((await recorded.promotion(id)).state).toBe('succeeded');
    expect(await prod.repository(repository).resolveTag(oneTag)).toBe(image.manifest.digest);
    await until('the record is chained', async () => (await recordsOf(id)).every(({ isChained }) => isChained));
    expect((await recordsOf(id)).length).toBeGreaterThan(0);
    const passwords = [recorded.server.url, recorded.server.queueUrl].map((url) => new URL(url).password).filter((text) => text !== '');
    for (const password of passwords) expect(JSON.stringify(log.lines)).not.toContain(password);
    expect(log.lines.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  });

  it('serves a location as soon as a topology with it is applied', async () => {
    const { locations, ...rest } = topologyAt({ ci: ci.url });

    await new TopologyRevisions(recorded.database).apply(
      { ...rest, locations: { ...locations, asia: { egress: {} } } },
      'source',
      recorded.principalId,
    );

    await until('the new location is served', () => log.saying('serving location').some(({ location }) => location === 'asia'));
    expect(log.saying('serving location').map(({ location }) => location)).toEqual(['eu', 'us', 'asia']);
  });

  it('leaves no connection to the database when it is closed, and tells no trouble', async () => {
    await worker.app.close();

    await until('every session of the worker has ended', async () => (await sessions()) === 0);
    expect(log.troubles()).toEqual([]);
  });

  function recordsOf(promotionId: string): Promise<{ readonly isChained: boolean }[]> {
    return recorded.database.tables.$queryRaw`
      SELECT c.record_id IS NOT NULL AS "isChained" FROM provenance_record r LEFT JOIN provenance_chain c ON c.record_id = r.id
      WHERE r.promotion_id = ${promotionId}::uuid`;
  }

  /** Sessions of others than this spec's own. */
  async function sessions(): Promise<number> {
    const [row] = await recorded.database.tables.$queryRaw<{ count: number }[]>`
      SELECT count(*)::int AS count FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`;
    return row?.count ?? NaN;
  }
}

describe("a worker's readiness", () => {
  let recorded: RecordedPromotions;
  let database: TcpProxy;
  let queue: TcpProxy;
  let worker: RunningWorker;

  beforeAll(async () => {
    recorded = await RecordedPromotions.open();
    const port = Number(new URL(recorded.server.url).port);
    database = await startTcpProxy(port);
    queue = await startTcpProxy(port);
    const config = configOf({
      DATABASE_URL: through(database, recorded.server.url),
      WAYBILL_QUEUE_DATABASE_URL: through(queue, recorded.server.queueUrl),
    });
    worker = await startWorker({ config, logger: logged().logger });
  });

  afterEach(async () => {
    await database.flow();
    await queue.flow();
    await until('everything answers again', async () => (await healthOf(worker, 'ready')).status === 200);
  });

  afterAll(async () => {
    await worker.app.close();
    await database.stop();
    await queue.stop();
    await recorded.close();
  });

  it.each([
    ['is gone', () => database.refuse()],
    ['is silent', async () => database.hang()],
  ])('names the database when it %s', async (_what, fail) => {
    await fail();

    expect(await healthOf(worker, 'ready')).toEqual({
      status: 503,
      body: {
        status: 'failing',
        parts: { database: { status: 'failing', problem: 'the database does not answer' }, queue: { status: 'ok' } },
      },
    });
    expect((await healthOf(worker, 'live')).status).toBe(200);
  });

  it.each([
    ['is gone', () => queue.refuse()],
    ['is silent', async () => queue.hang()],
  ])('names the queue when it %s', async (_what, fail) => {
    await fail();

    expect(await healthOf(worker, 'ready')).toEqual({
      status: 503,
      body: {
        status: 'failing',
        parts: { database: { status: 'ok' }, queue: { status: 'failing', problem: 'the postgres queue does not answer' } },
      },
    });
  });
});

function through(proxy: TcpProxy, url: string): string {
  const changed = new URL(url);
  changed.port = String(proxy.port);
  return changed.href;
}
