import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createTestDatabase } from '@waybill/testing';
import { checkDatabase } from './check-database.js';

describe('checkDatabase', () => {
  it('is content with a database that answers', async () => {
    const { url } = await createTestDatabase();

    await expect(checkDatabase(url)).resolves.toBeUndefined();
  });

  it.each([
    { what: 'another password', spoil: (url: URL) => (url.password = 'wrong-one'), reason: /password authentication failed/ },
    { what: 'no such database', spoil: (url: URL) => (url.pathname = '/nowhere'), reason: /database "nowhere" does not exist/ },
    { what: 'nothing at the port', spoil: (url: URL) => (url.port = '1'), reason: /127\.0\.0\.1:1 cannot be used: .*ECONNREFUSED/ },
  ])('says why with $what, and keeps the password to itself', async ({ spoil, reason }) => {
    const url = new URL((await createTestDatabase()).url);
    const { password } = url;
    spoil(url);

    const failure = await checkDatabase(url.href).catch((error: unknown) => error);

    expect(failure).toMatchObject({ code: 'database-unusable', message: expect.stringMatching(reason) });
    expect(String(failure)).not.toContain(password);
    expect(String(failure)).not.toContain('wrong-one');
  });

  it('does not take another server for a database', async () => {
    const server = createServer((socket) => socket.end('-ERR unknown command\r\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;

    const checked = checkDatabase(`postgresql://someone:secret@127.0.0.1:${port}/waybill`);

    await expect(checked).rejects.toMatchObject({ code: 'database-unusable' });
    server.close();
  });
});
