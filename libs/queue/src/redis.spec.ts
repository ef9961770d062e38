import {
  describeJobQueue,
  describeQueueOutages,
  describeWith,
  type QueueBackendFixture,
  startRedis,
  startTcpProxy,
} from '@waybill/testing';

describeWith('redis-server', 'a JobQueue', () => {
  describeJobQueue('Redis that is killed', startKillableRedis);
  describeQueueOutages('Redis behind a network that hangs', startHangingRedis);
});

/** Killed without a word, and started again with what its append-only file kept. */
async function startKillableRedis(): Promise<QueueBackendFixture> {
  const redis = await startRedis();
  let killed = false;
  return {
    config: { kind: 'redis', url: redis.url },
    async stop() {
      killed = true;
      process.kill(redis.pid, 'SIGKILL');
    },
    async resume() {
      if (killed) await redis.restart();
      killed = false;
    },
    lose: () => redis.flush(),
    dispose: () => redis.stop(),
  };
}

async function startHangingRedis(): Promise<QueueBackendFixture> {
  const redis = await startRedis();
  const proxy = await startTcpProxy(redis.port);
  return {
    config: { kind: 'redis', url: `redis://127.0.0.1:${proxy.port}` },
    stop: async () => proxy.hang(),
    resume: () => proxy.flow(),
    lose: () => redis.flush(),
    async dispose() {
      await proxy.stop();
      await redis.stop();
    },
  };
}
