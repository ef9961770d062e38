import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LocalRegistryError, startLocalRegistry } from './local-registry.js';
import { RawRegistry } from './raw-http.spec-helper.js';

let registry: RawRegistry;

beforeEach(async () => {
  registry = await RawRegistry.start();
});
afterEach(() => registry.stop());

const listed = async (path: string) => JSON.parse((await registry.ask('GET', path)).bytes.toString('utf8')) as object;

describe('a local registry', () => {
  it('keeps everything over a restart', async () => {
    const { text: manifest, digest } = await registry.pushImage('team/app', '1.0');
    const blob = await registry.pushBlob('team/app', 'loose');

    await registry.restart();

    expect((await registry.ask('GET', '/v2/team/app/manifests/1.0')).bytes.toString('utf8')).toBe(manifest);
    expect((await registry.ask('HEAD', `/v2/team/app/manifests/${digest}`)).status).toBe(200);
    expect((await registry.ask('GET', `/v2/team/app/blobs/${blob}`)).bytes.toString('utf8')).toBe('loose');
  });

  it('removes uploads that a stopped process left open', async () => {
    const path = await registry.openUpload('app');
    await registry.ask('PATCH', path, { body: 'half of it' });

    await registry.restart();

    expect(await readdir(join(registry.dataDir, 'uploads'))).toEqual([]);
    expect((await registry.ask('GET', path)).status).toBe(404);
  });

  it('lists repositories that hold a manifest, nested ones too', async () => {
    await registry.pushImage('a', '1');
    await registry.pushImage('a/b/c', '1');
    await registry.pushBlob('only-a-blob', 'x');

    expect(await listed('/v2/_catalog')).toEqual({ repositories: ['a', 'a/b/c'] });
  });

  it('lists tags in pages that lead to one another', async () => {
    for (const tag of ['c', 'a', 'b']) await registry.pushImage('app', tag);

    const first = await registry.ask('GET', '/v2/app/tags/list?n=2');
    const next = /^<(.+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1] ?? '';

    expect(JSON.parse(first.bytes.toString('utf8'))).toEqual({ name: 'app', tags: ['a', 'b'] });
    expect(await listed(next)).toEqual({ name: 'app', tags: ['c'] });
  });

  it('knows no tags of a repository that nothing was pushed to', async () => {
    expect((await registry.ask('GET', '/v2/nobody/tags/list')).status).toBe(404);
  });

  it('leaves no scratch files behind', async () => {
    await registry.pushImage('app', '1.0');

    expect(await readdir(join(registry.dataDir, 'scratch'))).toEqual([]);
    expect(await readdir(join(registry.dataDir, 'uploads'))).toEqual([]);
  });

  it('listens on loopback alone', () => {
    expect(registry.url).toBe(`http://127.0.0.1:${registry.port}`);
  });

  it('takes no path out of its folder, however it is written', async () => {
    for (const path of [
      '/v2/a/../../../../etc/manifests/passwd',
      '/v2/a/blobs/uploads/../../../../etc/passwd',
      '/v2/a/manifests/..%2f..%2fx',
    ]) {
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(await rawGet(path))?.[1]);

      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
  });

  it('refuses headers beyond 16 KiB', async () => {
    expect(await rawGet('/v2/', `x-long: ${'a'.repeat(17 * 1024)}\r\n`)).toMatch(/^HTTP\/1\.1 431/);
  });

  it('says that a port is taken', async () => {
    const second = startLocalRegistry({ dataDir: join(registry.dataDir, 'second'), port: registry.port });

    await expect(second).rejects.toMatchObject({ constructor: LocalRegistryError, code: 'port-unusable' });
  });

  it('says that a data folder cannot be used', async () => {
    const second = startLocalRegistry({ dataDir: join(tmpdir(), 'not-allowed\0') });

    await expect(second).rejects.toMatchObject({ constructor: LocalRegistryError, code: 'data-dir-unusable' });
  });
});

/** A request that no URL parser has tidied. */
async function rawGet(path: string, headers = ''): Promise<string> {
  const socket = connect(registry.port, '127.0.0.1');
  socket.end(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}\r\n`);
  return await text(socket);
}
