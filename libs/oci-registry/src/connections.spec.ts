import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { buildImage, contentErrorOf, sample, scriptedRegistries } from '@waybill/testing';

const { blob, bytes, latest } = sample;
const { manifest } = buildImage();

describe('connections', () => {
  const registries = scriptedRegistries();

  it('for small requests are never taken by blobs', async () => {
    const { repository } = await registries.start(
      (request, response) => {
        if (request.url?.includes('/blobs/') === true) return response.writeHead(200).write(bytes.subarray(0, 1));
        return response.writeHead(200, { 'docker-content-digest': manifest.digest }).end();
      },
      { connections: 2 },
    );
    const stream = await repository.readBlob(blob);

    expect(await repository.resolveTag(latest)).toBe(manifest.digest);

    stream.destroy();
  });

  it('are as many as allowed, and no more', async () => {
    let open = 0;
    let most = 0;
    const { repository } = await registries.start(
      (_request, response) => {
        open += 1;
        most = Math.max(most, open);
        setTimeout(() => {
          open -= 1;
          response.writeHead(200, { 'docker-content-digest': manifest.digest }).end();
        }, 10);
      },
      { connections: 4 },
    );

    await Promise.all(Array.from({ length: 20 }, () => repository.resolveTag(latest)));

    expect(most).toBe(2);
  });

  it('that a request waits for are given up when it is aborted', async () => {
    const { server, repository } = await registries.start((_request, response) => response.writeHead(200).write(bytes.subarray(0, 1)), {
      connections: 1,
    });
    const stream = await repository.readBlob(blob);
    const controller = new AbortController();

    const waiting = contentErrorOf(repository.resolveTag(latest, controller.signal));
    setImmediate(() => controller.abort());

    expect((await waiting).code).toBe('aborted');
    expect(server.requests).toHaveLength(1);
    stream.destroy();
  });

  it('that the server closed while they idled cost nothing but another connection', async () => {
    const sockets = new Set<object>();
    const { server, repository } = await registries.start(
      (request, response) => {
        const known = sockets.has(request.socket);
        sockets.add(request.socket);
        if (known) return request.socket.destroy();
        const headers = { 'docker-content-digest': manifest.digest, 'content-length': 0 }; // Node keeps no connection without a length
        return response.writeHead(request.method === 'PUT' ? 201 : 200, headers).end();
      },
      { connections: 1 },
    );

    expect(await repository.resolveTag(latest)).toBe(manifest.digest);
    await repository.putTag(latest, manifest);

    expect(server.requests.map((request) => request.method)).toEqual(['HEAD', 'PUT', 'PUT']);
  });

  it('of uploads that are refused before they are sent are free again', async () => {
    const { server, repository } = await registries.start(
      (request, response) => {
        if (request.method === 'POST') return response.writeHead(202, { location: '/u/1' }).end();
        if (request.method === 'DELETE') return response.writeHead(204).end();
        return response.writeHead(403, { 'content-length': 2 }).end('{}'); // and the connection is kept
      },
      { connections: 2 }, // one of them for blobs
    );
    const refuse = async (): Promise<string> => {
      const unfinished = new Readable({ read: () => undefined });
      unfinished.push(bytes.subarray(0, 2));
      unfinished.push(bytes.subarray(2, 4)); // the last piece so far is held back
      return (await contentErrorOf(repository.pushBlob(blob, unfinished))).code;
    };

    expect([await refuse(), await refuse(), await refuse()]).toEqual(['denied', 'denied', 'denied']);

    expect(server.requests.map(({ method }) => method)).toEqual(Array.from({ length: 3 }, () => ['POST', 'PUT', 'DELETE']).flat());
  });

  it('break when the client is closed', async () => {
    const { client, repository } = await registries.start(() => client.close());

    expect((await contentErrorOf(repository.resolveTag(latest))).code).toBe('unreachable');
  });
});
