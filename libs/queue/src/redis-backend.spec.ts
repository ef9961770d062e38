import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@waybill/observability';
import { describeWith, type RunningRedis, startRedis, until } from '@waybill/testing';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { defineJob } from './define-job.js';
import type { JobQueue } from './job-queue.js';
import { openQueue } from './open-queue.js';

const job = defineJob({
  name: 'probe',
  payload: z.strictObject({ id: z.string(), queue: z.string() }),
  queueFor: ({ queue }) => `probe.${queue}`,
  idFor: ({ id }) => id,
});

describeWith('redis-server', 'RedisBackend', () => {
  let server: RunningRedis;
  let admin: Redis;
  let queue: JobQueue;
  let log: string;

  const open = async (url: string): Promise<JobQueue> => {
    const logger = createLogger({ name: 'spec', level: 'info', destination: { write: (line) => void (log += line) } });
    return openQueue({ kind: 'redis', url }, { logger });
  };

  beforeEach(async () => {
    log = '';
    server = await startRedis();
    admin = new Redis(server.url);
    queue = await open(server.url);
  });

  afterEach(async () => {
    await queue.close();
    await admin.quit();
    await server.stop();
  });

  it('keeps all keys of a queue in one slot of a cluster', async () => {
    await queue.add(job, [
      { id: 'a', queue: 'eu' },
      { id: 'b', queue: 'us' },
    ]);

    const keys = await admin.keys('*');

    expect(keys.length).toBeGreaterThan(2);
    expect(keys.filter((key) => !key.startsWith('{waybill-probe.eu}:') && !key.startsWith('{waybill-probe.us}:'))).toEqual([]);
  });

  it('forgets a job that ran, well or not', async () => {
    queue.consume(job, 'probe.eu', ({ id }) => (id === 'bad' ? Promise.reject(new Error('broken')) : Promise.resolve()), {
      concurrency: 1,
    });

    await queue.add(job, [
      { id: 'good', queue: 'eu' },
      { id: 'bad', queue: 'eu' },
    ]);

    await until('both are gone', async () => (await admin.keys('*:good')).length + (await admin.keys('*:bad')).length === 0);
    expect(await admin.zcard('{waybill-probe.eu}:probe.eu:failed')).toBe(0);
    expect(await admin.zcard('{waybill-probe.eu}:probe.eu:completed')).toBe(0);
  });

  it('needs two connections, and one per consumer', async () => {
    for (const name of ['a', 'b', 'c']) queue.consume(job, `probe.${name}`, async () => undefined, { concurrency: 8 });
    await queue.add(
      job,
      Array.from({ length: 20 }, (_, index) => ({ id: 'x', queue: `q${index}` })),
    );
    await until('all consumers wait', async () => (await admin.info('clients')).includes('blocked_clients:3'));

    expect(await admin.info('clients')).toMatch(/connected_clients:6\r/);
  });

  it('warns of a Redis that may drop jobs', async () => {
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');

    const other = await open(server.url);
    await until('it is told', () => log.includes('redis may evict jobs'));
    await other.close();

    expect(log).toContain('"policy":"allkeys-lru"');
  });

  it('waits for a password that is wrong for now, without telling it', async () => {
    await admin.config('SET', 'requirepass', 'right');

    const other = await open(`redis://:hunter2@127.0.0.1:${server.port}`);
    await expect(other.add(job, [{ id: 'a', queue: 'eu' }])).rejects.toMatchObject({ code: 'queue-unavailable', retryable: true });
    await expect(other.health()).resolves.toMatchObject({ status: 'down' });
    await other.close();

    expect(log).toContain('WRONGPASS');
    expect(log).not.toContain('hunter2');
  });

  it('bears a Redis that is full: says so, waits without a flood, and goes on', async () => {
    const ran: string[] = [];
    queue.consume(job, 'probe.eu', async ({ id }) => void ran.push(id), { concurrency: 4 });
    await queue.add(job, [{ id: 'before', queue: 'eu' }]);
    await until('it ran', () => ran.includes('before'));

    await admin.config('SET', 'maxmemory', '1');
    await expect(queue.add(job, [{ id: 'during', queue: 'eu' }])).rejects.toMatchObject({ code: 'queue-unavailable', retryable: true });
    await until('the worker has met it', () => log.includes('the queue answered with an error'));
    await admin.config('SET', 'maxmemory', '0');
    await queue.add(job, [{ id: 'after', queue: 'eu' }]);

    await until('the next one ran', () => ran.includes('after'));
    expect(log.trim().split('\n').length).toBeLessThan(8);
  });

  describe('a server that is not there', () => {
    it('is no reason not to open the queue', async () => {
      await server.stop();

      const other = await open(server.url);

      await expect(other.health()).resolves.toMatchObject({ status: 'down', kind: 'redis' });
      await other.close();
      server = await startRedis();
    });
  });
});
