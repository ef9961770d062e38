import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type BlobRef, digestOf } from '@waybill/oci-model';
import {
  buildImage,
  contentErrorOf,
  createAuthority,
  type ForwardProxy,
  type ForwardProxyOptions,
  randomBytes,
  sample,
  type Script,
  scriptedRegistries,
  startForwardProxy,
  streamOf,
  until,
} from '@waybill/testing';
import type { ProxyOptions } from './network-options.js';
import { RegistryClient } from './registry-client.js';

const { app, blob, bytes, latest } = sample;
const { manifest } = buildImage();
const authority = createAuthority();
const certificate = authority.issue({ names: ['127.0.0.1', 'registry.example.com'] });
const tls = { ca: authority.ca };
// Node keeps no connection without a length.
const hasTag: Script = (_request, response) =>
  response.writeHead(200, { 'docker-content-digest': manifest.digest, 'content-length': 0 }).end();

function through({ url }: Pick<ForwardProxy, 'url'>, credentials?: { readonly username: string; readonly password: string }): ProxyOptions {
  const proxy = credentials === undefined ? { url } : { url, credentials };
  return { http: proxy, https: proxy };
}

describe('a proxy', () => {
  const registries = scriptedRegistries();
  const proxies: ForwardProxy[] = [];
  afterEach(async () => {
    for (const proxy of proxies.splice(0)) await proxy.stop();
  });

  async function startProxy(options?: ForwardProxyOptions): Promise<ForwardProxy> {
    const proxy = await startForwardProxy(options);
    proxies.push(proxy);
    return proxy;
  }

  describe.each([
    ['http', undefined],
    ['https', certificate],
  ])('reached over %s', (_scheme, ofProxy) => {
    const options = ofProxy === undefined ? {} : { tls: ofProxy };

    it('carries TLS to the registry from end to end', async () => {
      const proxy = await startProxy(options);
      const { server, repository } = await registries.start(hasTag, { tls, proxy: through(proxy) }, certificate);

      expect(await repository.resolveTag(latest)).toBe(manifest.digest);
      expect(proxy.asked).toEqual([`CONNECT ${server.host}`]);
      expect(server.requests[0]?.headers).not.toHaveProperty('proxy-authorization');
    });

    it('is asked for a plain registry with the whole URL', async () => {
      const proxy = await startProxy(options);
      const { server, repository } = await registries.start(hasTag, { tls, proxy: through(proxy) });

      expect(await repository.resolveTag(latest)).toBe(manifest.digest);
      expect(proxy.asked).toEqual([`HEAD ${server.origin}/v2/${app}/manifests/latest`]);
      expect(server.requests).toMatchObject([{ url: `/v2/${app}/manifests/latest`, headers: { host: server.host } }]);
    });
  });

  it('moves blobs both ways as they are', async () => {
    const proxy = await startProxy();
    const large = randomBytes(5_000_000, 'through a proxy');
    const largeBlob: BlobRef = { digest: digestOf(large), size: large.byteLength };
    const received: Buffer[] = [];
    const { repository } = await registries.start(
      (request, response) => {
        if (request.method === 'GET') return response.writeHead(200).end(large);
        if (request.method === 'POST') return response.writeHead(202, { location: '/u/1' }).end();
        return request.on('data', (chunk: Buffer) => received.push(chunk)).once('end', () => response.writeHead(201).end());
      },
      { tls, proxy: through(proxy) },
      certificate,
    );

    const read = await (await repository.readBlob(largeBlob)).toArray();
    await repository.pushBlob(largeBlob, streamOf(large));

    expect(Buffer.concat(read).equals(large)).toBe(true);
    expect(Buffer.concat(received).equals(large)).toBe(true);
  });

  it('is left out for what is excepted', async () => {
    const proxy = await startProxy();
    const { repository } = await registries.start(hasTag, { tls, proxy: { ...through(proxy), except: ['127.0.0.0/8'] } }, certificate);

    expect(await repository.resolveTag(latest)).toBe(manifest.digest);
    expect(proxy.asked).toEqual([]);
  });

  it('resolves the names, so that we ask no resolver', async () => {
    const proxy = await startProxy({ names: { 'registry.example.com': '127.0.0.1' } });
    const server = await registries.elsewhere(hasTag, certificate);
    const [, , port] = server.origin.split(':');
    const client = new RegistryClient({ origin: `https://registry.example.com:${port}`, tls, proxy: through(proxy), retries: 0 });

    expect(await client.repository(app).resolveTag(latest)).toBe(manifest.digest);
    client.close();
  });

  it('does not widen the bounds, and its connections are used again', async () => {
    const proxy = await startProxy();
    const { repository } = await registries.start(hasTag, { tls, proxy: through(proxy), connections: 6 }, certificate);

    await Promise.all(Array.from({ length: 20 }, () => repository.resolveTag(latest)));
    await repository.resolveTag(latest);

    expect(proxy.mostTunnels).toBeLessThanOrEqual(3); // half of the connections are for small requests
    expect(proxy.asked.length).toBeLessThanOrEqual(3);
  });

  it('keeps small requests and blobs apart', async () => {
    const proxy = await startProxy();
    const { repository } = await registries.start(
      (request, response) => {
        if (request.url?.includes('/blobs/') === true) return response.writeHead(200).write(bytes.subarray(0, 1));
        return response.writeHead(200, { 'docker-content-digest': manifest.digest }).end();
      },
      { tls, proxy: through(proxy), connections: 2 },
      certificate,
    );
    const stream = await repository.readBlob(blob);

    expect(await repository.resolveTag(latest)).toBe(manifest.digest);

    stream.destroy();
  });

  it('loses its connections when the client is closed', async () => {
    const proxy = await startProxy();
    const { client, repository } = await registries.start(hasTag, { tls, proxy: through(proxy) }, certificate);
    await repository.resolveTag(latest);
    expect(proxy.tunnels).toBe(1);

    client.close();

    await until('the tunnel is gone', () => proxy.tunnels === 0);
  });

  describe('with credentials', () => {
    const credentials = { username: 'waybill', password: 'open sesame' };

    it.each([
      ['https', certificate],
      ['http', undefined],
    ])('is shown them, and an %s registry is not', async (_scheme, ofRegistry) => {
      const proxy = await startProxy({ credentials });
      const { server, repository } = await registries.start(hasTag, { tls, proxy: through(proxy, credentials) }, ofRegistry);

      expect(await repository.resolveTag(latest)).toBe(manifest.digest);
      expect(JSON.stringify(server.requests)).not.toMatch(/proxy-authorization|d2F5YmlsbDpv/i);
    });

    it.each([
      ['https', certificate],
      ['http', undefined],
    ])('that it refuses for an %s registry are said to be at fault', async (_scheme, ofRegistry) => {
      const proxy = await startProxy({ credentials: { ...credentials, password: 'another' } });
      const { server, repository } = await registries.start(hasTag, { tls, proxy: through(proxy, credentials) }, ofRegistry);

      const error = await contentErrorOf(repository.resolveTag(latest));

      expect(error).toMatchObject({ code: 'unauthorized', retryable: false });
      expect(error.message).toContain('proxy that asks for other credentials');
      expect(inspect(error, { depth: 12, showHidden: true })).not.toMatch(/sesame|d2F5YmlsbDpv/);
      expect(server.requests).toEqual([]);
    });

    it('shows them in no error, though it throws them back', async () => {
      const echo = await registries.elsewhere((request, response) => {
        response
          .writeHead(502)
          .end(JSON.stringify({ errors: [{ code: 'X', message: `${request.headers['proxy-authorization']} sesame` }] }));
      });
      const { repository } = await registries.start(hasTag, { proxy: through({ url: echo.origin }, credentials) });

      const error = await contentErrorOf(repository.readManifest(latest));

      expect(error.code).toBe('unavailable');
      expect(inspect(error, { depth: 12, showHidden: true })).not.toContain('d2F5YmlsbDpv');
    });
  });

  describe('never speaks for the registry:', () => {
    it.each([
      ['HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n', 'unreachable', false],
      ['HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n', 'unreachable', false],
      ['HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n', 'unreachable', true],
      ['HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\n\r\n', 'unreachable', false],
      ['HTTP/1.1 200 ok\r\n\r\nHTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n', 'unreachable', false],
      [`HTTP/1.1 200 ok\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`, 'unreachable', true],
      ['good morning', 'unreachable', true],
    ])('%.40j', async (says, code, retryable) => {
      const proxy = await startProxy({ onConnect: (socket) => socket.end(says) });
      const { server, repository } = await registries.start(hasTag, { tls, proxy: through(proxy) }, certificate);

      const error = await contentErrorOf(repository.resolveTag(latest));

      expect(error).toMatchObject({ code, retryable });
      expect(server.requests).toEqual([]);
    });

    it('a proxy that leads elsewhere is found out', async () => {
      const proxy = await startProxy({ names: { 'registry.example.com': '127.0.0.1' } });
      const impostor = await registries.elsewhere(hasTag, createAuthority().issue({ names: ['registry.example.com'] }));
      const [, , port] = impostor.origin.split(':');
      const client = new RegistryClient({ origin: `https://registry.example.com:${port}`, tls, proxy: through(proxy), retries: 0 });

      expect((await contentErrorOf(client.ping())).message).toContain('certificate that is not trusted');
      expect(impostor.requests).toEqual([]);
      client.close();
    });
  });

  it('that is not there is said to be', async () => {
    const gone = await startForwardProxy();
    await gone.stop();
    const { repository } = await registries.start(hasTag, { tls, proxy: through(gone) }, certificate);

    const error = await contentErrorOf(repository.resolveTag(latest));

    expect(error).toMatchObject({ code: 'unreachable', retryable: true });
    expect(error.message).toContain('proxy that cannot be reached');
  });

  it.each<[string, ForwardProxyOptions]>([
    ['never answers', { onConnect: () => undefined }],
    ['leads to silence', { onConnect: (socket) => socket.write('HTTP/1.1 200 ok\r\n\r\n') }],
  ])('that %s is waited for no longer than for a connection', async (_what, options) => {
    const proxy = await startProxy(options);
    const { repository } = await registries.start(hasTag, { tls, proxy: through(proxy), timeouts: { connectMs: 30 } }, certificate);

    const error = await contentErrorOf(repository.resolveTag(latest));

    expect(error).toMatchObject({ code: 'unreachable', retryable: true });
    expect(error.message).toContain('did not accept a connection in time');
  });

  it('is given up with the request that waits for it', async () => {
    const controller = new AbortController();
    const ended: Promise<unknown>[] = [];
    const proxy = await startProxy({
      onConnect: (socket) => {
        ended.push(new Promise((resolve) => socket.resume().once('end', resolve)));
        controller.abort();
      },
    });
    const { repository } = await registries.start(hasTag, { tls, proxy: through(proxy) }, certificate);

    expect((await contentErrorOf(repository.resolveTag(latest, controller.signal))).code).toBe('aborted');

    await Promise.all(ended);
  });

  it('is let go when it refuses, though it would stay', async () => {
    const ended: Promise<unknown>[] = [];
    const proxy = await startProxy({
      onConnect: (socket) => {
        ended.push(new Promise((resolve) => socket.resume().once('end', resolve)));
        socket.write('HTTP/1.1 403 Forbidden\r\n\r\n');
      },
    });
    const { repository } = await registries.start(hasTag, { tls, proxy: through(proxy) }, certificate);

    expect(await contentErrorOf(repository.resolveTag(latest))).toMatchObject({ code: 'unreachable', retryable: false });

    await Promise.all(ended);
    expect(ended).toHaveLength(1);
  });

  it('frees its place for the next request when it fails', async () => {
    let refusals = 3;
    const proxy = await startProxy({
      onConnect: (socket) => {
        refusals -= 1;
        socket.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n');
      },
    });
    const { repository } = await registries.start(hasTag, { tls, proxy: through(proxy), connections: 1 }, certificate);

    const errors = await Promise.all([1, 2, 3].map(() => contentErrorOf(repository.resolveTag(latest))));

    expect(errors.map(({ code }) => code)).toEqual(['unreachable', 'unreachable', 'unreachable']);
    expect(refusals).toBe(0);
  });

  describe('and links', () => {
    it('are followed through it, without credentials', async () => {
      const proxy = await startProxy();
      const storage = await registries.elsewhere((_request, response) => response.writeHead(200).end(bytes), certificate);
      const { repository } = await registries.start(
        (_request, response) => response.writeHead(307, { location: `${storage.origin}/b` }).end(),
        { tls, proxy: through(proxy) },
        certificate,
      );

      await (await repository.readBlob(blob)).toArray();

      expect(proxy.asked.at(-1)).toBe(`CONNECT ${storage.host}`);
      expect(storage.requests[0]?.headers.authorization).toBeUndefined();
    });

    it.each([
      'http://169.254.169.254/latest/',
      'http://metadata.google.internal/',
      'http://metadata.google.internal./',
      'http://127.0.0.1/',
      'http://localhost./',
    ])('are not followed to %s, though nobody here resolves it', async (location) => {
      const proxy = await startProxy({ names: { 'registry.example.com': '127.0.0.1' } });
      const server = await registries.elsewhere((_request, response) => response.writeHead(307, { location }).end());
      const [, , port] = server.origin.split(':');
      const client = new RegistryClient({ origin: `http://registry.example.com:${port}`, proxy: through(proxy), retries: 0 });

      const error = await contentErrorOf(client.repository(app).readBlob(blob));

      expect(error).toMatchObject({ code: 'protocol', retryable: false });
      expect(proxy.asked).toHaveLength(1);
      client.close();
    });
  });
});
