import { describe, expect, it } from '@jest/globals';
import { type BlobRef, digestOf } from '@waybill/oci-model';
import { contentErrorOf, randomBytes, sample, type Script, scriptedRegistries } from '@waybill/testing';
import { RegistryError } from './registry-error.js';

const { app, blob, bytes } = sample;
const empty: BlobRef = { digest: digestOf(Buffer.alloc(0)), size: 0 };
const size = bytes.byteLength;

describe('reading blobs', () => {
  const registries = scriptedRegistries();

  const wrong: readonly (readonly [string, string, boolean, Script])[] = [
    [
      'a body that breaks off',
      'unreachable',
      true,
      (_request, response) => {
        response.writeHead(200, { 'content-length': size });
        response.write(bytes.subarray(0, 5), () => response.socket?.destroy());
      },
    ],
    ['a body that ends early', 'size-mismatch', false, (_request, response) => response.writeHead(200).end(bytes.subarray(0, 5))],
    ['a body that is too long', 'size-mismatch', false, (_request, response) => response.writeHead(200).end(Buffer.concat([bytes, bytes]))],
    [
      'another length in its head',
      'size-mismatch',
      false,
      (_request, response) => response.writeHead(200, { 'content-length': size + 1 }).end(),
    ],
    ['wrong bytes', 'digest-mismatch', false, (_request, response) => response.writeHead(200).end(Buffer.alloc(size))],
    ['a part for the whole', 'protocol', false, (_request, response) => response.writeHead(206).end(bytes)],
    ['404', 'not-found', false, (_request, response) => response.writeHead(404).end()],
    ['503', 'unavailable', true, (_request, response) => response.writeHead(503).end()],
  ];

  it.each(wrong)('fails on %s with %s', async (_title, code, retryable, script) => {
    const { repository } = await registries.start(script);

    const error = await contentErrorOf((async () => (await repository.readBlob(blob)).toArray())());

    expect(error).toMatchObject({ code, retryable });
  });

  it('asks once, whatever happens: who copies knows better when to try again', async () => {
    const { server, repository } = await registries.start((_request, response) => response.writeHead(503).end(), { retries: 2 });

    await contentErrorOf(repository.readBlob(blob));

    expect(server.requests).toHaveLength(1);
  });

  it('gives no last chunk of wrong bytes', async () => {
    const { repository } = await registries.start((_request, response) => response.writeHead(200).end(Buffer.alloc(size)));
    const stream = await repository.readBlob(blob);
    const seen: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => seen.push(chunk));

    await new Promise((resolve) => stream.once('error', resolve));

    expect(seen).toEqual([]);
  });

  it('closes the connection when it is aborted midway', async () => {
    const large = randomBytes(1_000_000, 'large');
    const closed = deferred();
    const { repository } = await registries.start((request, response) => {
      request.socket.once('close', () => closed.resolve());
      response.writeHead(200, { 'content-length': large.byteLength }).write(large.subarray(0, 500_000));
    });
    const controller = new AbortController();

    const stream = await repository.readBlob({ digest: digestOf(large), size: large.byteLength }, controller.signal);
    stream.once('data', () => controller.abort());

    const error = await contentErrorOf(new Promise((_resolve, reject) => stream.once('error', reject)));
    expect(error).toBeInstanceOf(RegistryError);
    expect(error.code).toBe('aborted');
    await closed.promise;
  });

  it('closes the connection when its reader goes away', async () => {
    const closed = deferred();
    const { repository } = await registries.start((request, response) => {
      request.socket.once('close', () => closed.resolve());
      response.writeHead(200).write(bytes.subarray(0, 5));
    });

    (await repository.readBlob(blob)).destroy();

    await expect(closed.promise).resolves.toBeUndefined();
  });
});

describe('probing blobs', () => {
  const registries = scriptedRegistries();
  const firstByte = bytes.subarray(0, 1);

  const answers: readonly (readonly [string, BlobRef, boolean, Script])[] = [
    [
      '206 with the byte',
      blob,
      true,
      (_request, response) => response.writeHead(206, { 'content-range': `bytes 0-0/${size}`, 'content-length': 1 }).end(firstByte),
    ],
    ['206 without a range', blob, true, (_request, response) => response.writeHead(206).end(firstByte)],
    [
      '206 of unknown length',
      blob,
      true,
      (_request, response) => response.writeHead(206, { 'content-range': 'bytes 0-0/*' }).end(firstByte),
    ],
    [
      '206 of another length',
      blob,
      false,
      (_request, response) => response.writeHead(206, { 'content-range': `bytes 0-0/${size + 1}` }).end(firstByte),
    ],
    [
      '206 that breaks off before the byte, as Distribution after a collection',
      blob,
      false,
      (_request, response) => {
        response.writeHead(206, { 'content-range': `bytes 0-0/${size}`, 'content-length': 1 });
        response.flushHeaders();
        response.socket?.end();
      },
    ],
    ['206 with nothing in it', blob, false, (_request, response) => response.writeHead(206).end()],
    ['200 with all of it', blob, true, (_request, response) => response.writeHead(200, { 'content-length': size }).end(bytes)],
    ['200 that gives the first byte and stops', blob, true, (_request, response) => response.writeHead(200).write(firstByte)],
    ['200 with another length', blob, false, (_request, response) => response.writeHead(200, { 'content-length': size - 1 }).write('x')],
    ['200 with nothing in it', blob, false, (_request, response) => response.writeHead(200).end()],
    ['404', blob, false, (_request, response) => response.writeHead(404).end()],
    ['416: what it holds is empty', blob, false, (_request, response) => response.writeHead(416).end()],
    ['200 for the empty blob', empty, true, (_request, response) => response.writeHead(200, { 'content-length': 0 }).end()],
    ['404 for the empty blob', empty, false, (_request, response) => response.writeHead(404).end()],
    ['bytes in the empty blob', empty, false, (_request, response) => response.writeHead(200).end('x')],
  ];

  it.each(answers)('%s', async (_title, asked, present, script) => {
    const { server, repository } = await registries.start(script);

    expect(await repository.probeBlob(asked)).toBe(present);
    expect(server.requests).toMatchObject([{ method: 'GET', url: `/v2/${app}/blobs/${asked.digest}` }]);
    expect(server.requests[0]?.headers.range).toBe(asked.size === 0 ? undefined : 'bytes=0-0');
  });

  it.each([
    [401, 'unauthorized'],
    [403, 'denied'],
    [429, 'rate-limited'],
    [500, 'unavailable'],
  ])('is no answer but an error on %d', async (status, code) => {
    const { repository } = await registries.start((_request, response) => response.writeHead(status).end());

    expect((await contentErrorOf(repository.probeBlob(blob))).code).toBe(code);
  });
});

interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
}

function deferred(): Deferred {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}
