import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { describeWith, startRedis } from '@waybill/testing';
import { checkRedis } from './check-redis.js';

const never = new AbortController().signal;
const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

async function serve(talk: (socket: Socket) => void): Promise<number> {
  const server = createServer(talk).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describeWith('redis-server', 'checkRedis, with Redis', () => {
  it('is content with one that answers', async () => {
    const redis = await startRedis();

    await expect(checkRedis(redis.url, never)).resolves.toBeUndefined();
    await redis.stop();
  });

  it('says that the password is refused, and keeps it to itself', async () => {
    const redis = await startRedis();
    const url = redis.url.replace('redis://', 'redis://someone:secret@');

    const failure: unknown = await checkRedis(url, never).catch((error: unknown) => error);

    expect(failure).toMatchObject({ code: 'redis-unusable', message: expect.stringContaining('WRONGPASS') });
    expect(String(failure)).not.toContain('secret');
    await redis.stop();
  });
});

describe('checkRedis', () => {
  it('sends user and password as they are meant, and reads an answer in pieces', async () => {
    let heard = '';
    const port = await serve((socket) => {
      socket.on('data', (chunk) => {
        heard += chunk.toString('utf8');
        for (const piece of ['+O', 'K\r\n+PO', 'NG\r\n']) socket.write(piece);
      });
    });

    await checkRedis(`redis://us%40er:p%C3%A4ss@127.0.0.1:${port}`, never);

    expect(heard).toBe('*3\r\n$4\r\nAUTH\r\n$5\r\nus@er\r\n$5\r\npäss\r\n*1\r\n$4\r\nPING\r\n');
  });

  it.each([
    {
      what: 'a server of another kind',
      talk: (socket: Socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'.repeat(50)),
      reason: /protocol of Redis/,
    },
    { what: 'one that hangs up', talk: (socket: Socket) => void socket.end(), reason: /hung up/ },
    { what: 'one that refuses', talk: (socket: Socket) => void socket.write('-NOAUTH Authentication required.\r\n'), reason: /NOAUTH/ },
  ])('refuses $what', async ({ talk, reason }) => {
    const port = await serve(talk);

    await expect(checkRedis(`redis://127.0.0.1:${port}`, never)).rejects.toMatchObject({
      code: 'redis-unusable',
      message: expect.stringMatching(reason),
    });
  });

  it('says that nothing listens', async () => {
    await expect(checkRedis('redis://127.0.0.1:1', never)).rejects.toMatchObject({ message: expect.stringContaining('ECONNREFUSED') });
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const wish = new Error('stopped');
    const port = await serve(() => stop.abort(wish));

    await expect(checkRedis(`redis://127.0.0.1:${port}`, stop.signal)).rejects.toBe(wish);
  });
});
