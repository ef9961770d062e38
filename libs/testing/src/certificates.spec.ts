import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createAuthority } from './certificates.js';

describe('createAuthority', () => {
  it('issues certificates that it vouches for, with the names that were asked for', () => {
    const authority = createAuthority();
    const ca = new X509Certificate(authority.ca);
    const issued = new X509Certificate(authority.issue({ names: ['registry.test', '127.0.0.1'] }).cert);

    expect(issued.verify(ca.publicKey)).toBe(true);
    expect(issued.checkIssued(ca)).toBe(true);
    expect(ca.ca).toBe(true);
    expect(issued.subjectAltName).toBe('DNS:registry.test, IP Address:127.0.0.1');
    expect(issued.verify(new X509Certificate(createAuthority().ca).publicKey)).toBe(false);
  });

  it('gives what TLS is spoken with', async () => {
    const authority = createAuthority();
    const server = createServer(authority.issue({ names: ['127.0.0.1'] }), (_request, response) => response.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;

    const [response] = (await once(get({ host: '127.0.0.1', port, ca: authority.ca, agent: false }), 'response')) as [
      { statusCode: number; resume(): void },
    ];
    response.resume();
    server.close();
    await once(server, 'close');

    expect(response.statusCode).toBe(200);
  });
});
