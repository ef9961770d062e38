import { once } from 'node:events';
import { lookup } from 'node:dns';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { randomBytes, startForwardProxy } from '@waybill/testing';
import { Tunnel } from './tunnel.js';

describe('a tunnel', () => {
  const endings: (() => void | Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0)) await end();
  });

  async function tunnelTo(onConnect: (socket: Duplex) => void): Promise<Tunnel> {
    const proxy = await startForwardProxy({ onConnect });
    const tunnel = new Tunnel({ proxy: { url: new URL(proxy.url), secrets: [] }, target: 'registry.example.com:443', lookup });
    endings.push(
      () => void tunnel.destroy(),
      () => proxy.stop(),
    );
    return tunnel;
  }

  it('takes what is written before it stands', async () => {
    const received: Promise<Buffer>[] = [];
    const tunnel = await tunnelTo((socket) => {
      received.push(once(socket, 'data').then(([chunk]) => chunk as Buffer));
      socket.write('HTTP/1.1 200 ok\r\n\r\n');
    });

    await new Promise((resolve) => tunnel.write('early', resolve));

    expect(String(await received[0])).toBe('early');
  });

  it('keeps what came with the agreement, and all that came before a regular end, for whoever reads late', async () => {
    const bytes = randomBytes(10_000, 'less than a stream holds');
    const closed: Promise<unknown>[] = [];
    const tunnel = await tunnelTo((socket) => {
      closed.push(once(socket, 'close'));
      socket.resume().end(Buffer.concat([Buffer.from('HTTP/1.1 200 ok\r\n\r\n'), bytes]));
    });
    await once(tunnel, 'readable');
    await Promise.all(closed);

    const read = (await tunnel.toArray()) as Buffer[];

    expect(Buffer.concat(read).equals(bytes)).toBe(true);
  });
});
