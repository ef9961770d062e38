import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { type BlobRef, ContentError, digestOf } from '@waybill/oci-model';
import { contentErrorOf, randomBytes, sample, type Script, scriptedRegistries, streamOf } from '@waybill/testing';
import { basicCredentials } from './auth/static-credentials.js';

const { app, blob, bytes } = sample;
const user = { username: 'anna', password: 'open sesame' };
const digest = encodeURIComponent(blob.digest);
const other = digestOf(Buffer.from('other'));
const large = randomBytes(4_000_000, 'large');
const largeBlob: BlobRef = { digest: digestOf(large), size: large.byteLength };

describe('pushing blobs', () => {
  const registries = scriptedRegistries();

  it.each([
    ['an absolute path', '/uploads/1', `/uploads/1?digest=${digest}`],
    ['a path relative to the request', 'session-1', `/v2/${app}/blobs/uploads/session-1?digest=${digest}`],
    ['a query, kept as it is', '/u/1?_state=a%2Fb+c==&x', `/u/1?_state=a%2Fb+c==&x&digest=${digest}`],
    ['an empty query', '/u/1?', `/u/1?digest=${digest}`],
    ['a fragment', '/u/1#here', `/u/1?digest=${digest}`],
  ])('completes an upload at %s', async (_title, location, target) => {
    const received: Buffer[] = [];
    const { server, repository } = await registries.start(async (request, response) => {
      if (request.method === 'POST') return response.writeHead(202, { location }).end();
      received.push(await bodyOf(request));
      return response.writeHead(201, { 'docker-content-digest': blob.digest }).end();
    });

    await repository.pushBlob(blob, streamOf(bytes));

    expect(server.requests.map((request) => [request.method, request.url])).toEqual([
      ['POST', `/v2/${app}/blobs/uploads/`],
      ['PUT', target],
    ]);
    expect(server.requests[1]?.headers).toMatchObject({
      'content-length': String(bytes.byteLength),
      'content-type': 'application/octet-stream',
    });
    expect(received).toEqual([bytes]);
  });

  it('sends credentials to the registry, and bytes without them to the host that it names for the upload', async () => {
    const storage = await registries.elsewhere(async (request, response) => {
      await bodyOf(request);
      response.writeHead(201).end();
    });
    const { server, repository } = await registries.start(
      (_request, response) => response.writeHead(202, { location: `${storage.origin}/bucket/1?signature=s` }).end(),
      { credentials: { write: basicCredentials(user.username, user.password) } },
    );

    await repository.pushBlob(blob, streamOf(bytes));

    expect(server.requests[0]?.headers.authorization).toMatch(/^Basic /);
    expect(storage.requests).toMatchObject([{ method: 'PUT', url: `/bucket/1?signature=s&digest=${digest}` }]);
    expect(storage.requests[0]?.headers.authorization).toBeUndefined();
  });

  it.each([
    ['no location', undefined],
    ['something that is no address', 'http://['],
    ['another protocol', 'file:///etc/passwd'],
    ['credentials in it', 'http://anna:secret@127.0.0.1/u/1'],
    ['the address of cloud metadata', 'http://169.254.169.254/latest/'],
  ])('sends no bytes when the location is %s', async (_title, location) => {
    const { server, repository } = await registries.start((_request, response) => {
      response.writeHead(202, location === undefined ? {} : { location }).end();
    });

    const error = await contentErrorOf(repository.pushBlob(blob, streamOf(bytes)));

    expect(error).toMatchObject({ code: 'protocol', operation: 'start upload', retryable: false });
    expect(JSON.stringify(error) + error.message).not.toContain('secret');
    expect(server.requests).toHaveLength(1);
  });

  const refusals: readonly (readonly [string, string, boolean, Script])[] = [
    ['bytes that are not its digest', 'digest-mismatch', false, (_request, response) => refuse(response, 400, 'DIGEST_INVALID')],
    ['a dead session', 'upload-invalid', true, (_request, response) => refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN')],
    ['an overloaded registry', 'unavailable', true, (_request, response) => response.writeHead(503).end()],
    [
      'another digest in a 201',
      'digest-mismatch',
      false,
      (_request, response) => response.writeHead(201, { 'docker-content-digest': other }).end(),
    ],
    ['202 where 201 is due', 'protocol', false, (_request, response) => response.writeHead(202).end()],
    ['a redirect', 'protocol', false, (_request, response) => response.writeHead(307, { location: '/elsewhere' }).end()],
  ];

  it.each(refusals)('cancels the session on %s, with %s', async (_title, code, retryable, script) => {
    const { server, repository } = await registries.start(async (request, response, index) => {
      if (request.method === 'POST') return response.writeHead(202, { location: '/u/1?_state=s' }).end();
      if (request.method === 'DELETE') return response.writeHead(204).end();
      await bodyOf(request);
      return script(request, response, index);
    });

    const error = await contentErrorOf(repository.pushBlob(blob, streamOf(bytes)));

    expect(error).toMatchObject({ code, retryable, operation: 'push blob' });
    expect(server.requests.map((request) => [request.method, request.url])).toEqual([
      ['POST', `/v2/${app}/blobs/uploads/`],
      ['PUT', `/u/1?_state=s&digest=${digest}`],
      ['DELETE', '/u/1?_state=s'],
    ]);
  });

  it('believes no 201 that comes before the bytes', async () => {
    const { repository } = await registries.start((request, response) => {
      if (request.method === 'POST') return response.writeHead(202, { location: '/u/1' }).end();
      return response.writeHead(request.method === 'PUT' ? 201 : 204).end();
    });
    const content = new Readable({ read: () => undefined });
    content.push(large.subarray(0, 1000));
    content.push(large.subarray(1000, 2000)); // the last chunk so far is held back

    expect((await contentErrorOf(repository.pushBlob(largeBlob, content))).code).toBe('protocol');
    expect(content.destroyed).toBe(true);
  });

  it('breaks the request and cancels the session when the source breaks, and says what the source said', async () => {
    const brokenOff: Promise<unknown>[] = [];
    const { server, repository } = await registries.start((request, response) => {
      if (request.method === 'POST') return response.writeHead(202, { location: '/u/1' }).end();
      if (request.method === 'DELETE') return response.writeHead(204).end();
      brokenOff.push(once(request, 'close'));
      return request.resume();
    });
    const fault = new ContentError('the source has other bytes', { code: 'digest-mismatch', operation: 'read blob' });
    const content = Readable.from(
      (async function* () {
        yield large.subarray(0, 1_000_000);
        await new Promise((resolve) => setImmediate(resolve));
        throw fault;
      })(),
      { objectMode: false },
    );

    await expect(repository.pushBlob(largeBlob, content)).rejects.toBe(fault);

    await Promise.all(brokenOff);
    expect(server.requests.at(-1)).toMatchObject({ method: 'DELETE', url: '/u/1' });
  });

  it('sends no bytes when the source breaks before the session is open', async () => {
    const { server, repository } = await registries.start((request, response) => {
      response.writeHead(request.method === 'POST' ? 202 : 204, { location: '/u/1' }).end();
    });
    const content = new Readable({ read: () => undefined });
    content.destroy(new Error('gone before it began'));

    const error = await contentErrorOf(repository.pushBlob(blob, content));

    expect(error.message).toContain('gone before it began');
    expect(server.requests.map((request) => request.method)).not.toContain('PUT');
  });

  it('cancels in vain without complaint', async () => {
    const { repository } = await registries.start((request, response) => {
      if (request.method === 'POST') return response.writeHead(202, { location: '/u/1' }).end();
      return request.method === 'PUT' ? refuse(response, 400, 'DIGEST_INVALID') : request.socket.destroy();
    });

    expect((await contentErrorOf(repository.pushBlob(blob, streamOf(bytes)))).code).toBe('digest-mismatch');
  });

  it('waits no longer for a cancel than it should', async () => {
    const { repository } = await registries.start(
      (request, response) => {
        if (request.method === 'POST') return response.writeHead(202, { location: '/u/1' }).end();
        return request.method === 'PUT' ? refuse(response, 400, 'DIGEST_INVALID') : undefined;
      },
      { timeouts: { cancelMs: 20 } },
    );

    expect((await contentErrorOf(repository.pushBlob(blob, streamOf(bytes)))).code).toBe('digest-mismatch');
  });
});

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function refuse(response: Parameters<Script>[1], status: number, code: string): unknown {
  return response.writeHead(status).end(JSON.stringify({ errors: [{ code }] }));
}
