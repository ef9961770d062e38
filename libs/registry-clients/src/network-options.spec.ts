import { afterEach, describe, expect, it } from '@jest/globals';
import { type EnvironmentProxies, environmentProxies } from '@waybill/config';
import {
  buildImage,
  contentErrorOf,
  createAuthority,
  type ForwardProxy,
  sample,
  startForwardProxy,
  startScriptedServer,
} from '@waybill/testing';
import { parseTopology, type Registry } from '@waybill/topology';
import { RegistryClients } from './registry-clients.js';

const { app, latest } = sample;
const authority = createAuthority();
const ofServer = authority.issue({ names: ['127.0.0.1'] });
const ofClient = authority.issue();
const demanding = { ...ofServer, ca: authority.ca, requestCert: true, rejectUnauthorized: true };

/** The registry `far` of a topology that says this of it. */
function registryWith(url: string, keys: string): Registry {
  const text = `apiVersion: waybill/v1
kind: Topology
metadata: { name: spec }
locations: { eu: {} }
registries: { far: { role: staging, location: eu, url: "${url}", ${keys} } }`;
  const { topology, diagnostics } = parseTopology(text, { file: 'spec.yaml' });
  const registry = topology?.registries['far'];
  if (registry === undefined) throw new Error(diagnostics.map(({ message }) => message).join('; '));
  return registry;
}

describe('a client of a registry of the topology', () => {
  const endings: (() => void | Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0)) await end();
  });

  async function startServer(...args: Parameters<typeof startScriptedServer>) {
    const server = await startScriptedServer(...args);
    endings.push(() => server.stop());
    return server;
  }

  async function startProxy(...args: Parameters<typeof startForwardProxy>): Promise<ForwardProxy> {
    const proxy = await startForwardProxy(...args);
    endings.push(() => proxy.stop());
    return proxy;
  }

  function clientsOf(values: Record<string, string> = {}, proxies?: () => EnvironmentProxies): RegistryClients {
    const clients = new RegistryClients({ secrets: { read: (name) => values[name] }, ...(proxies === undefined ? {} : { proxies }) });
    endings.unshift(() => clients.close());
    return clients;
  }

  it('speaks TLS with the authority and the certificate that the topology names', async () => {
    const server = await startServer((_request, response) => response.writeHead(404).end(), demanding);
    const registry = registryWith(server.origin, 'tls: { ca: { secret: a }, cert: { secret: c }, key: { secret: k } }');
    const clients = clientsOf({ a: authority.ca, c: ofClient.cert, k: ofClient.key });

    expect(await clients.open(registry, undefined, 'read').repository(app).resolveTag(latest)).toBeUndefined();
    expect(server.requests).toHaveLength(1);
  });

  it('trusts an authority that stands in the topology', async () => {
    const server = await startServer((_request, response) => response.writeHead(404).end(), ofServer);
    const registry = registryWith(server.origin, `tls: { ca: ${JSON.stringify(authority.ca)} }`);

    expect(await clientsOf().open(registry, undefined, 'read').repository(app).resolveTag(latest)).toBeUndefined();
  });

  it('takes a renewed certificate without being told', async () => {
    const server = await startServer((_request, response) => response.writeHead(404).end(), demanding);
    const registry = registryWith(server.origin, 'tls: { ca: { secret: a }, cert: { secret: c }, key: { secret: k } }');
    const stranger = createAuthority().issue();
    const values = { a: authority.ca, c: stranger.cert, k: stranger.key };
    const clients = clientsOf(values);
    const before = clients.open(registry, undefined, 'read');
    await contentErrorOf(before.repository(app).resolveTag(latest));

    Object.assign(values, { c: ofClient.cert, k: ofClient.key });
    const after = clients.open(registry, undefined, 'read');

    expect(after).not.toBe(before);
    expect(await after.repository(app).resolveTag(latest)).toBeUndefined();
  });

  it.each<[string, string, Record<string, string>, string]>([
    ['an authority that is missing', 'tls: { ca: { secret: a } }', {}, 'WAYBILL_SECRET_A=certificates in PEM form'],
    ['an authority that is none', 'tls: { ca: { secret: a } }', { a: 'hunter2' }, 'no certificate in PEM form'],
    ['a key that is missing', 'tls: { cert: { secret: c }, key: { secret: k } }', { c: ofClient.cert }, 'WAYBILL_SECRET_K=a private key'],
    ['a key that is none', 'tls: { cert: { secret: c }, key: { secret: k } }', { c: ofClient.cert, k: 'hunter2' }, 'no private key'],
    ['a password for a proxy that is none', 'proxy: { url: "http://p", secret: p }', { p: 'hunter2' }, 'the secret p is not of the form'],
  ])('is not made with %s', (_what, keys, values, says) => {
    const open = () => clientsOf(values).open(registryWith('https://a.example', keys), undefined, 'read');

    expect(open).toThrow(
      expect.objectContaining({ name: expect.stringMatching(/Error$/), retryable: false, message: expect.stringContaining(says) }),
    );
    expect(open).not.toThrow(/hunter2/);
  });

  it('goes through the proxy that the topology names, with its secret', async () => {
    const proxy = await startProxy({ credentials: { username: 'waybill', password: 'one' } });
    const server = await startServer((_request, response) => response.writeHead(404).end());
    const registry = registryWith(server.origin, `proxy: { url: "${proxy.url}", secret: p }`);

    expect(await clientsOf({ p: 'waybill:one' }).open(registry, undefined, 'read').repository(app).resolveTag(latest)).toBeUndefined();
    expect(proxy.asked).toHaveLength(1);
  });

  it.each([
    ['', 0],
    ['proxy: environment', 1],
  ])('uses a proxy of the environment only when asked: %j', async (keys, asked) => {
    const proxy = await startProxy();
    const server = await startServer((_request, response) => response.writeHead(404).end());
    const clients = clientsOf({}, () => ({ http: { url: proxy.url }, except: [] }));

    await clients.open(registryWith(server.origin, keys), undefined, 'read').repository(app).resolveTag(latest);

    expect(proxy.asked).toHaveLength(asked);
  });

  it('says of which registry the proxy cannot be used', () => {
    const registry = registryWith('https://a.example', 'proxy: environment');
    const clients = new RegistryClients({
      secrets: { read: () => undefined },
      proxies: () => environmentProxies({ HTTPS_PROXY: 'socks5://a' }),
    });

    expect(() => clients.open(registry, undefined, 'read')).toThrow(
      expect.objectContaining({ code: 'unreachable', message: expect.stringContaining('the proxy of registry far cannot be used') }),
    );
  });

  it('finds a host where the topology says it is', async () => {
    const server = await startServer((_request, response) => response.writeHead(404).end());
    const port = server.origin.split(':').at(-1);
    const registry = registryWith(
      `http://registry.example.com:${port}`,
      'insecure: true, resolve: { registry.example.com: ["127.0.0.1"] }',
    );

    expect(await clientsOf().open(registry, undefined, 'read').repository(app).resolveTag(latest)).toBeUndefined();
    expect(server.requests[0]?.headers.host).toBe(`registry.example.com:${port}`);
  });

  it('waits as long as the topology says', async () => {
    const server = await startServer(() => undefined);
    const registry = registryWith(server.origin, 'timeouts: { answer: 100ms }');

    expect(
      (await contentErrorOf(clientsOf().open(registry, undefined, 'read').repository(app).putTag(latest, buildImage().manifest))).code,
    ).toBe('timeout');
  });

  it('opens no more connections than the topology says', async () => {
    let open = 0;
    let most = 0;
    const server = await startServer((_request, response) => {
      open += 1;
      most = Math.max(most, open);
      setImmediate(() => {
        open -= 1;
        response.writeHead(404, { 'content-length': 0 }).end();
      });
    });
    const repository = clientsOf().open(registryWith(server.origin, 'limits: { connections: 1 }'), undefined, 'read').repository(app);

    await Promise.all(Array.from({ length: 10 }, () => repository.resolveTag(latest)));

    expect(most).toBe(1);
  });
});
