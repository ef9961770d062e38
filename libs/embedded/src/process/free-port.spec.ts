import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { findFreePort } from './free-port.js';

describe('findFreePort', () => {
  it('gives the preferred port when it is free', async () => {
    const free = await findFreePort();

    expect(await findFreePort(free)).toBe(free);
  });

  it('gives another one when the preferred is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;

    const found = await findFreePort(port);

    expect(found).not.toBe(port);
    expect(found).toBeGreaterThan(0);
    taken.close();
  });
});
