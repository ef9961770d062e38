import { describe, expect, it } from '@jest/globals';
import { buildImage, contentErrorOf, sample, scriptedRegistries } from '@waybill/testing';

const { latest } = sample;
const { manifest } = buildImage();

describe('a second try', () => {
  const registries = scriptedRegistries();
  const found = { 'docker-content-digest': manifest.digest, 'content-type': manifest.mediaType };

  it('follows 429 after the time that the registry asks for, and 503', async () => {
    const { server, repository } = await registries.start(
      (_request, response, index) => {
        if (index === 0) return response.writeHead(429, { 'retry-after': '0' }).end();
        return response.writeHead(index === 1 ? 503 : 200, found).end();
      },
      { retries: 2 },
    );

    expect(await repository.resolveTag(latest)).toBe(manifest.digest);
    expect(server.requests).toHaveLength(3);
  });

  it('follows an answer that broke off', async () => {
    const { server, repository } = await registries.start(
      (_request, response, index) => {
        if (index > 0) return response.writeHead(200, found).end(manifest.bytes);
        return response.writeHead(200, found).write(manifest.bytes.subarray(0, 10), () => response.destroy());
      },
      { retries: 2 },
    );

    expect((await repository.readManifest(latest)).digest).toBe(manifest.digest);
    expect(server.requests).toHaveLength(2);
  });

  it('is not made when the registry asks for more than a caller would wait', async () => {
    const { server, repository } = await registries.start((_request, response) => response.writeHead(429, { 'retry-after': '60' }).end(), {
      retries: 2,
    });

    expect(await contentErrorOf(repository.resolveTag(latest))).toMatchObject({
      code: 'rate-limited',
      retryable: true,
      retryAfterMs: 60_000,
    });
    expect(server.requests).toHaveLength(1);
  });

  it('is not made for what no try changes, nor for writes', async () => {
    const { server, repository } = await registries.start(
      (request, response) => response.writeHead(request.method === 'PUT' ? 503 : 403).end(),
      {
        retries: 2,
      },
    );

    await contentErrorOf(repository.readManifest(latest));
    await contentErrorOf(repository.putTag(latest, manifest));

    expect(server.requests.map((request) => request.method)).toEqual(['GET', 'PUT']);
  });

  it('ends with the last error when tries run out', async () => {
    const { server, client } = await registries.start((_request, response) => response.writeHead(503).end(), { retries: 1 });

    expect((await contentErrorOf(client.ping())).code).toBe('unavailable');
    expect(server.requests).toHaveLength(2);
  });

  it('is given up when its signal fires in the pause', async () => {
    const controller = new AbortController();
    const { server, repository } = await registries.start(
      (_request, response) => {
        response.once('close', () => setImmediate(() => controller.abort()));
        response.writeHead(429, { 'retry-after': '5' }).end();
      },
      { retries: 2 },
    );

    expect((await contentErrorOf(repository.resolveTag(latest, controller.signal))).code).toBe('aborted');
    expect(server.requests).toHaveLength(1);
  });
});
