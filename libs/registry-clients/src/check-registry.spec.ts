import { afterEach, describe, expect, it } from '@jest/globals';
import { resultOf } from '@waybill/oci-model';
import { contentErrorOf, type Script, type ScriptedServer, startScriptedServer } from '@waybill/testing';
import type { Registry } from '@waybill/topology';
import { checkRegistry } from './check-registry.js';
import { RegistryClients } from './registry-clients.js';

/** Lets everyone in, and takes nothing. */
const readOnly: Script = ({ method }, response) => response.writeHead(method === 'GET' ? 200 : 405).end();

describe('checkRegistry', () => {
  const endings: (() => void | Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0)) await end();
  });

  function clientsOf(values: Readonly<Record<string, string>>): RegistryClients {
    const clients = new RegistryClients({ secrets: { read: (name) => values[name] } });
    endings.push(() => clients.close());
    return clients;
  }

  async function server(): Promise<ScriptedServer> {
    const started = await startScriptedServer(readOnly);
    endings.push(() => started.stop());
    return started;
  }

  const registry = (facts: Partial<Registry>): Registry => ({
    name: 'prod',
    role: 'prod',
    location: 'eu',
    insecure: false,
    immutableTags: { kind: 'none' },
    ...facts,
  });
  const writer = { credentials: { write: { secret: 'prod-write' } } };

  it.each<[string, Partial<Registry>, Readonly<Record<string, string>>, 'read' | 'write', string | undefined]>([
    ['that is local', { local: {} }, {}, 'write', undefined],
    ['with credentials for it', writer, { 'prod-write': 'anna:secret' }, 'write', undefined],
    ['without credentials for it', {}, {}, 'read', 'no write credentials'],
    ['whose secret is missing', writer, {}, 'read', 'WAYBILL_SECRET_PROD_WRITE'],
    ['whose secret is none', writer, { 'prod-write': 'anna' }, 'read', 'prod-write'],
    ['of somebody else', { ...writer, role: 'upstream' }, { 'prod-write': 'anna:secret' }, 'read', 'role upstream'],
  ])('looks at writing to a registry %s, or says why not', async (...row) => {
    const [, facts, secrets, scope, because] = row;
    const { origin, requests } = await server();
    const place = facts.local === undefined ? { url: origin } : {};

    const report = await checkRegistry(clientsOf(secrets), registry({ ...place, ...facts }), { address: origin });

    expect(report.scope).toBe(scope);
    expect(report.readOnlyBecause ?? '').toContain(because ?? '');
    expect(resultOf(report, 'read')).toMatchObject({ outcome: 'ok' });
    expect(requests.some(({ method }) => method === 'POST')).toBe(scope === 'write');
  });

  it('has nothing to look at while a local registry is not running', async () => {
    const error = await contentErrorOf(checkRegistry(clientsOf({}), registry({ local: {} })));

    expect(error).toMatchObject({ code: 'unreachable', message: expect.stringContaining('waybill up') });
  });
});
