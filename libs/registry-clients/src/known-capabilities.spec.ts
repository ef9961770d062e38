import { afterEach, describe, expect, it } from '@jest/globals';
import { digestOf, type RegistryCapabilities } from '@waybill/oci-model';
import { sample, type ScriptedServer, startScriptedServer } from '@waybill/testing';
import { type Topology, withProbedCapabilities } from '@waybill/topology';
import { RegistryClients } from './registry-clients.js';

const subject = digestOf(Buffer.from('an image'));
const asked = `GET /v2/${sample.app}/referrers/${subject}`;

describe('what is known of a registry', () => {
  const endings: (() => void | Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0)) await end();
  });

  async function emptyRegistry(): Promise<ScriptedServer> {
    const server = await startScriptedServer((_request, response) => response.writeHead(404).end());
    endings.push(() => server.stop());
    return server;
  }

  function topologyAt(url: string, declared?: Partial<RegistryCapabilities>): Topology {
    const facts = { name: 'prod', role: 'prod', location: 'eu', insecure: false, immutableTags: { kind: 'none' }, url } as const;
    const prod = { ...facts, ...(declared === undefined ? {} : { capabilities: declared }) };
    return { name: 'spec', locations: { eu: { egress: {} } }, registries: { prod }, paths: {}, replications: [], retention: [] };
  }

  it.each<[string, Partial<RegistryCapabilities> | undefined, Partial<RegistryCapabilities> | undefined, boolean]>([
    ['nothing', undefined, undefined, true],
    ['that it lists referrers', undefined, { referrersApi: true }, true],
    ['that it lists none', undefined, { referrersApi: false }, false],
    ['by its file that it lists none', { referrersApi: false }, { referrersApi: true }, false],
    ['by its file that it lists them', { referrersApi: true }, { referrersApi: false }, true],
  ])('decides what is asked of it: %s', async (_what, declared, probed, isAsked) => {
    const server = await emptyRegistry();
    const clients = new RegistryClients({ secrets: { read: () => undefined } });
    endings.unshift(() => clients.close());
    const topology = withProbedCapabilities(topologyAt(server.origin, declared), new Map(Object.entries({ prod: probed ?? {} })));
    const { prod } = topology.registries;
    if (prod === undefined) throw new Error('the topology has another registry');

    for await (const referrer of clients.open(prod, undefined, 'read').repository(sample.app).listReferrers(subject)) {
      throw new Error(`there is ${referrer.digest}`);
    }

    expect(server.requests.map(({ method, url }) => `${method} ${url}`).includes(asked)).toBe(isAsked);
    expect(server.requests.length).toBeGreaterThan(0);
  });

  it('makes another client when it changes', () => {
    const clients = new RegistryClients({ secrets: { read: () => undefined } });
    endings.push(() => clients.close());
    const open = (capabilities: Partial<RegistryCapabilities>) => {
      const { prod } = topologyAt('https://prod.example.com', capabilities).registries;
      return prod && clients.open(prod, undefined, 'read');
    };

    const first = open({ mount: true });

    expect(open({ mount: true })).toBe(first);
    expect(open({ mount: false })).not.toBe(first);
  });
});
