import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { contentErrorOf, sample, scriptedRegistries, streamOf } from '@waybill/testing';
import type { RequestEvent } from './options.js';
import { RegistryClient } from './registry-client.js';

const { app, blob, bytes, latest } = sample;

describe('events', () => {
  const registries = scriptedRegistries();

  it('tell of every request what it was and what it moved', async () => {
    const events: RequestEvent[] = [];
    const { repository } = await registries.start(
      (request, response) => {
        request.resume();
        if (request.method === 'POST') return response.writeHead(202, { location: '/u/1?_state=s3cret' }).end();
        if (request.method === 'PUT') return request.once('end', () => response.writeHead(201).end());
        return response.writeHead(200).end(bytes);
      },
      { observe: (event) => events.push(event) },
    );

    await repository.pushBlob(blob, streamOf(bytes));
    await (await repository.readBlob(blob)).toArray();

    const size = bytes.byteLength;
    expect(events).toEqual([
      { method: 'POST', kind: 'upload', repository: app, status: 202, sentBytes: 0, receivedBytes: 0, ms: expect.any(Number) },
      { method: 'PUT', kind: 'upload', repository: app, status: 201, sentBytes: size, receivedBytes: 0, ms: expect.any(Number) },
      { method: 'GET', kind: 'blob', repository: app, status: 200, sentBytes: 0, receivedBytes: size, ms: expect.any(Number) },
    ]);
    expect(JSON.stringify(events)).not.toContain('s3cret');
  });

  it('tell why a request broke', async () => {
    const events: RequestEvent[] = [];
    const { repository } = await registries.start(
      (_request, response, index) => {
        if (index === 0) return response.destroy();
        return response.writeHead(200, { 'content-length': bytes.byteLength }).write(bytes.subarray(0, 4), () => response.destroy());
      },
      { observe: (event) => events.push(event) },
    );

    await contentErrorOf(repository.resolveTag(latest));
    await contentErrorOf((async () => (await repository.readBlob(blob)).toArray())());

    expect(events).toMatchObject([
      { kind: 'tag', error: 'unreachable', receivedBytes: 0 },
      { kind: 'blob', status: 200, error: 'unreachable', receivedBytes: 4 },
    ]);
    expect(events[0]).not.toHaveProperty('status');
  });
});

describe('a client', () => {
  it.each([
    'registry.example.com',
    'ftp://registry.example.com',
    'https://registry.example.com/v2',
    'https://anna:secret@registry.example.com',
    '',
  ])('is not made for %j', (origin) => {
    expect(() => new RegistryClient({ origin })).toThrow(expect.objectContaining({ code: 'reference-invalid' }));
    expect(() => new RegistryClient({ origin })).not.toThrow(/secret/);
  });

  it('says which host it could not reach', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const host = `127.0.0.1:${address !== null && typeof address === 'object' ? address.port : ''}`;
    server.close();
    await once(server, 'close');

    const client = new RegistryClient({ origin: `http://${host}`, retries: 0 });

    expect(await contentErrorOf(client.ping())).toMatchObject({
      code: 'unreachable',
      retryable: true,
      message: `${host} refuses connections`,
      details: { errno: 'ECONNREFUSED' },
    });
    client.close();
  });
});
