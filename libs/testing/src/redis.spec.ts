import { access } from 'node:fs/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, it } from '@jest/globals';
import { describeWith } from './needs.js';
import { askRedis, type RunningRedis, startRedis } from './redis.js';
import { startTypeScript } from './typescript-process.js';

describeWith('redis-server', 'a started redis-server', () => {
  const running: RunningRedis[] = [];

  afterEach(async () => {
    for (const redis of running.splice(0)) await redis.stop();
  });

  async function start(): Promise<RunningRedis> {
    const redis = await startRedis();
    running.push(redis);
    return redis;
  }

  it('is empty, evicts nothing and tells its version', async () => {
    const redis = await start();

    expect(await askRedis(redis.port, 'DBSIZE')).toBe(':0');
    expect(await askRedis(redis.port, 'CONFIG GET maxmemory-policy')).toContain('noeviction');
    expect(redis).toMatchObject({ url: `redis://127.0.0.1:${redis.port}`, version: expect.stringMatching(/^\d+\.\d+/) });
  });

  it('keeps what was written and its address over a restart', async () => {
    const redis = await start();
    await askRedis(redis.port, 'SET kept 42');
    const { url, pid } = redis;

    await redis.restart();

    expect(await askRedis(redis.port, 'GET kept')).toBe('$2\r\n42');
    expect(redis.url).toBe(url);
    expect(redis.pid).not.toBe(pid);
  });

  it('forgets every key when told', async () => {
    const redis = await start();
    await askRedis(redis.port, 'SET key value');

    await redis.flush();

    expect(await askRedis(redis.port, 'DBSIZE')).toBe(':0');
  });

  it('ends with the process that started it', async () => {
    const parent = startTypeScript(`
      import { startRedis } from '@waybill/testing';
      const { port } = await startRedis();
      console.log(port);
    `);
    const port = (await parent.nextLine()) as number;
    const connection = connect({ host: '127.0.0.1', port });
    await once(connection, 'connect');
    const lost = once(connection, 'close');

    await parent.kill('SIGKILL');

    await expect(lost).resolves.toBeDefined();
  });

  it('leaves nothing behind when stopped', async () => {
    const redis = await startRedis();

    await redis.stop();

    await expect(access(`/proc/${redis.pid}/exe`)).rejects.toThrow();
    await expect(redis.flush()).rejects.toThrow('ECONNREFUSED');
  });
});
