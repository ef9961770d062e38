import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { buildImage, contentErrorOf, createAuthority, sample, scriptedRegistries } from '@waybill/testing';
import { guardedLookup, pinnedLookup } from './lookups.js';
import { RegistryClient } from './registry-client.js';

const { app, blob, latest } = sample;
const { manifest } = buildImage();

describe('a name lookup', () => {
  const lookup = promisify(pinnedLookup({ 'Registry.example.com': ['192.0.2.1', '2001:db8::1', '192.0.2.2'] }));

  it.each<[string, object, unknown]>([
    [
      'all of them',
      { all: true },
      [
        { address: '192.0.2.1', family: 4 },
        { address: '2001:db8::1', family: 6 },
        { address: '192.0.2.2', family: 4 },
      ],
    ],
    ['those of a family', { all: true, family: 6 }, [{ address: '2001:db8::1', family: 6 }]],
    ['the first', {}, '192.0.2.1'],
  ])('gives %s of the pinned addresses', async (_what, options, found) => {
    expect(await lookup('registry.EXAMPLE.com', options)).toEqual(found);
  });

  it('finds none where none of the family is pinned', async () => {
    await expect(promisify(pinnedLookup({ a: ['192.0.2.1'] }))('a', { family: 6 })).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('asks the resolver for other names', async () => {
    await expect(lookup('localhost', { all: true })).resolves.toContainEqual(
      expect.objectContaining({ address: expect.stringMatching(/^127\.|^::1$/) }),
    );
  });

  it('refuses a name that resolves to this machine, unless the registry is here too', async () => {
    const resolve = (fromLoopback: boolean) => promisify(guardedLookup(fromLoopback))('localhost', { all: true });

    await expect(resolve(false)).rejects.toMatchObject({ code: 'ERR_FORBIDDEN_ADDRESS' });
    await expect(resolve(true)).resolves.toContainEqual(expect.objectContaining({ address: expect.stringMatching(/^127\.|^::1$/) }));
  });

  it('refuses a name with one forbidden address among good ones, pinned or not', async () => {
    const pinned = pinnedLookup({ storage: ['192.0.2.1', '169.254.169.254'] });

    await expect(promisify(guardedLookup(true, pinned))('storage', {})).rejects.toMatchObject({ code: 'ERR_FORBIDDEN_ADDRESS' });
  });
});

describe('pinned addresses', () => {
  const registries = scriptedRegistries();
  const authority = createAuthority();

  it('lead to the registry, which still has to prove its name', async () => {
    const named = await registries.elsewhere(
      (_request, response) => response.writeHead(200, { 'docker-content-digest': manifest.digest }).end(),
      authority.issue({ names: ['registry.example.com'] }),
    );
    const unnamed = await registries.elsewhere((_request, response) => response.end(), authority.issue({ names: ['127.0.0.1'] }));
    const clientOf = (origin: string) => {
      const port = origin.split(':').at(-1);
      const resolve = { 'registry.example.com': ['127.0.0.1'] };
      return new RegistryClient({ origin: `https://registry.example.com:${port}`, retries: 0, resolve, tls: { ca: authority.ca } });
    };
    const [good, bad] = [clientOf(named.origin), clientOf(unnamed.origin)];

    expect(await good.repository(app).resolveTag(latest)).toBe(manifest.digest);
    expect(named.requests[0]?.headers.host).toMatch(/^registry\.example\.com:/);
    expect((await contentErrorOf(bad.ping())).message).toContain('certificate that is not trusted');

    good.close();
    bad.close();
  });

  it('do not lead a link to where links must not lead', async () => {
    const { host, requests, origin } = await registries.elsewhere((_request, response) => {
      response.writeHead(307, { location: 'http://storage.example.com:1/b' }).end();
    });
    const [, port] = host.split(':');
    const client = new RegistryClient({
      origin: `http://registry.example.com:${port}`,
      resolve: { 'registry.example.com': ['127.0.0.1'], 'storage.example.com': ['127.0.0.1'] },
    });

    const error = await contentErrorOf(client.repository(app).readBlob(blob));

    expect(error).toMatchObject({ code: 'protocol', retryable: false });
    expect(error.message).toContain('links to an address that must not be followed');
    expect(requests).toHaveLength(1);
    expect(origin).toContain(port);
    client.close();
  });
});
