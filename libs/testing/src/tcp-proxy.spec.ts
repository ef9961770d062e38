import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';

let echo: Server;
let proxy: TcpProxy;

beforeEach(async () => {
  echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  proxy = await startTcpProxy((echo.address() as { port: number }).port);
});

afterEach(async () => {
  await proxy.stop();
  echo.close();
});

async function connected(): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: proxy.port });
  await once(socket, 'connect');
  return socket;
}

async function answer(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString();
}

describe('startTcpProxy', () => {
  it('carries bytes both ways', async () => {
    const socket = await connected();

    socket.write('hello');

    expect(await answer(socket)).toBe('hello');
  });

  it('holds back what is sent while it hangs, on old and new connections, until it flows', async () => {
    const old = await connected();
    old.write('warm');
    await answer(old);
    const early: string[] = [];

    proxy.hang();
    const fresh = await connected();
    for (const socket of [old, fresh]) {
      socket.once('data', (chunk: Buffer) => early.push(chunk.toString()));
      socket.write('held');
    }
    const direct = connect((echo.address() as { port: number }).port, '127.0.0.1');
    direct.write('past the proxy');
    await answer(direct);
    direct.destroy();
    expect(early).toEqual([]);

    const answers = Promise.all([answer(old), answer(fresh)]);
    await proxy.flow();
    expect(await answers).toEqual(['held', 'held']);
  });

  it('ends connections and takes no more while it refuses, and is back at its port', async () => {
    const old = await connected();
    old.on('error', () => undefined);
    const ended = once(old, 'close');

    await proxy.refuse();
    await ended;
    await expect(connected()).rejects.toMatchObject({ code: 'ECONNREFUSED' });

    await proxy.flow();
    const socket = await connected();
    socket.write('again');
    expect(await answer(socket)).toBe('again');
  });
});
