import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type BlobRef, digestOf } from '@waybill/oci-model';
import { buildImage, contentErrorOf, randomBytes, sample, scriptedRegistries, streamOf } from '@waybill/testing';
import { RegistryClient } from './registry-client.js';

const { blob, bytes, latest } = sample;
const { manifest } = buildImage();
const large = randomBytes(8_000_000, 'larger than any buffer on the way');
const largeBlob: BlobRef = { digest: digestOf(large), size: large.byteLength };

describe('time limits', () => {
  const registries = scriptedRegistries();

  it('end a request that is not answered', async () => {
    const { repository } = await registries.start(() => undefined, { timeouts: { answerMs: 30 } });

    expect(await contentErrorOf(repository.resolveTag(latest))).toMatchObject({
      code: 'timeout',
      operation: 'resolve tag',
      retryable: true,
    });
  });

  it('end a blob that stops coming', async () => {
    const { repository } = await registries.start((_request, response) => response.writeHead(200).write(bytes.subarray(0, 5)), {
      timeouts: { idleMs: 30 },
    });

    const error = await contentErrorOf((async () => (await repository.readBlob(blob)).toArray())());

    expect(error).toMatchObject({ code: 'timeout', retryable: true });
  });

  it.each([200, 404])('end a blob that comes a byte at a time, with a %i', async (status) => {
    const { repository } = await registries.start(
      (_request, response) => {
        response.writeHead(status);
        const drip = setInterval(() => response.write(' '), 20);
        response.once('close', () => clearInterval(drip));
      },
      { timeouts: { idleMs: 100 } },
    );
    const read = async (): Promise<unknown> => (await repository.readBlob({ ...blob, size: 1_000_000 })).toArray();

    expect((await contentErrorOf(read())).code).toBe(status === 200 ? 'timeout' : 'not-found');
  });

  it('end an upload that is no longer taken', async () => {
    const { repository } = await registries.start(
      (request, response) => {
        if (request.method === 'POST') response.writeHead(202, { location: '/u/1' }).end();
        if (request.method === 'DELETE') response.writeHead(204).end();
      },
      { timeouts: { idleMs: 30 } },
    );

    const error = await contentErrorOf(repository.pushBlob(largeBlob, streamOf(large)));

    expect(error).toMatchObject({ code: 'timeout', operation: 'push blob', retryable: true });
  });

  it('end an upload that is not committed', async () => {
    const { repository } = await registries.start(
      (request, response) => {
        request.resume();
        if (request.method === 'POST') response.writeHead(202, { location: '/u/1' }).end();
        if (request.method === 'DELETE') response.writeHead(204).end();
      },
      { timeouts: { commitMs: 30 } },
    );

    expect(await contentErrorOf(repository.pushBlob(blob, streamOf(bytes)))).toMatchObject({ code: 'timeout', retryable: true });
  });

  it('end a manifest that comes a byte at a time', async () => {
    const { repository } = await registries.start(
      (_request, response) => {
        response.writeHead(200);
        const drip = setInterval(() => response.write(' '), 5);
        response.once('close', () => clearInterval(drip));
      },
      { timeouts: { smallMs: 60 } },
    );

    expect(await contentErrorOf(repository.readManifest(latest))).toMatchObject({ code: 'timeout', retryable: true });
  });

  describe('for connections', () => {
    const servers: { readonly server: Server; readonly sockets: Socket[] }[] = [];
    afterEach(async () => {
      for (const { server, sockets } of servers.splice(0)) {
        for (const socket of sockets) socket.destroy();
        server.close();
        await once(server, 'close');
      }
    });

    async function plain(greet: (socket: Socket) => void): Promise<string> {
      const sockets: Socket[] = [];
      const server = createServer((socket) => {
        sockets.push(socket);
        socket.on('error', () => undefined);
        greet(socket);
      }).listen(0, '127.0.0.1');
      servers.push({ server, sockets });
      await once(server, 'listening');
      const address = server.address();
      return `127.0.0.1:${address !== null && typeof address === 'object' ? address.port : ''}`;
    }

    it('end a TLS handshake that nobody answers', async () => {
      const client = new RegistryClient({ origin: `https://${await plain(() => undefined)}`, retries: 0, timeouts: { connectMs: 30 } });

      expect(await contentErrorOf(client.ping())).toMatchObject({ code: 'unreachable', retryable: true });

      client.close();
    });

    it('are not waited for where TLS is not spoken', async () => {
      const client = new RegistryClient({ origin: `https://${await plain((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))}` });

      const error = await contentErrorOf(client.ping());

      expect(error).toMatchObject({ code: 'unreachable', retryable: false });
      expect(error.message).toContain('does not speak TLS');
      client.close();
    });
  });

  it('do not begin while a request waits for a connection of ours', async () => {
    const limits = { timeouts: { answerMs: 200, smallMs: 200 } };
    const { repository } = await registries.start(
      (request, response) => {
        if (request.url?.includes('/blobs/') === true) return response.writeHead(200).end(large);
        return response.writeHead(200, { 'docker-content-digest': manifest.digest }).end();
      },
      { connections: 1, ...limits },
    );
    const silent = await registries.start(() => undefined, limits);
    const stream = await repository.readBlob(largeBlob); // holds the only connection until it is read
    const settled: string[] = [];

    const waiting = repository.resolveTag(latest).finally(() => settled.push('the one that waits'));
    // The clock of this one begins later and runs out, so that of the other would have run out before.
    const error = await contentErrorOf(silent.repository.resolveTag(latest)).finally(() => settled.push('the one that does not'));
    await stream.toArray();

    expect(error.code).toBe('timeout');
    expect(await waiting).toBe(manifest.digest);
    expect(settled).toEqual(['the one that does not', 'the one that waits']);
  });
});
