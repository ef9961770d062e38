import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ConfigError, environmentAndFolderSecrets, type SecretSource } from '@waybill/config';
import { ContentError, parseRepositoryName } from '@waybill/oci-model';
import { sample, startScriptedServer } from '@waybill/testing';
import type { Registry } from '@waybill/topology';
import { originOf, RegistryClients } from './registry-clients.js';

const { app, latest } = sample;

function registry(name: string, facts: Partial<Registry> = {}): Registry {
  return {
    name,
    role: 'prod',
    location: 'eu',
    insecure: false,
    immutableTags: { kind: 'none' },
    url: `https://${name}.example.com`,
    ...facts,
  };
}

function local(name: string): Registry {
  const { url: _url, ...rest } = registry(name);
  return { ...rest, local: {} };
}

const withSecrets = (read: string, write?: string): Partial<Registry> => ({
  credentials: { read: { secret: read }, ...(write === undefined ? {} : { write: { secret: write } }) },
});

/** Secrets that can be changed while a test runs. */
function secretsOf(values: Record<string, string>): SecretSource {
  return { read: (name) => values[name] };
}

function errorOf(open: () => unknown): ContentError {
  try {
    open();
  } catch (error) {
    if (error instanceof ContentError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('RegistryClients', () => {
  const endings: (() => void | Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0)) await end();
  });

  function clientsOf(values: Record<string, string> = {}, maxClients?: number): RegistryClients {
    const clients = new RegistryClients({
      secrets: secretsOf(values),
      client: { timeouts: { answerMs: 5_000 } },
      ...(maxClients === undefined ? {} : { maxClients }),
    });
    endings.push(() => clients.close());
    return clients;
  }

  it('gives one client for as long as nothing it was made of changes', () => {
    const clients = clientsOf({ a: 'reader:old' });
    const prod = registry('prod', withSecrets('a'));

    expect(clients.open(prod, undefined, 'write')).toBe(clients.open({ ...prod, immutableTags: { kind: 'all' } }, undefined, 'write'));
    expect(clients.open(prod, undefined, 'write')).not.toBe(clients.open(registry('archive', withSecrets('a')), undefined, 'write'));
  });

  it.each<[string, (clients: RegistryClients, values: Record<string, string>) => [unknown, unknown]]>([
    [
      'address',
      (clients) => [clients.open(local('prod'), 'http://127.0.0.1:1', 'write'), clients.open(local('prod'), 'http://127.0.0.1:2', 'write')],
    ],
    [
      'URL',
      (clients) => [
        clients.open(registry('prod'), undefined, 'write'),
        clients.open(registry('prod', { url: 'https://new.example.com' }), undefined, 'write'),
      ],
    ],
    [
      'prefix',
      (clients) => [
        clients.open(registry('prod'), undefined, 'write'),
        clients.open(registry('prod', { prefix: parseRepositoryName('acme') }), undefined, 'write'),
      ],
    ],
    [
      'secret’s name',
      (clients) => [
        clients.open(registry('prod', withSecrets('a')), undefined, 'write'),
        clients.open(registry('prod', withSecrets('b')), undefined, 'write'),
      ],
    ],
    [
      'secret’s value',
      (clients, values) => {
        const before = clients.open(registry('prod', withSecrets('a')), undefined, 'write');
        values['a'] = 'reader:rotated';
        return [before, clients.open(registry('prod', withSecrets('a')), undefined, 'write')];
      },
    ],
    [
      'user by the write secret',
      (clients) => [
        clients.open(registry('prod', withSecrets('a')), undefined, 'write'),
        clients.open(registry('prod', withSecrets('a', 'b')), undefined, 'write'),
      ],
    ],
  ])('makes another client when its %s changes', (_what, open) => {
    const values: Record<string, string> = { a: 'reader:one', b: 'writer:two' };
    const [before, after] = open(clientsOf(values), values);

    expect(after).not.toBe(before);
  });

  it('lets go of the client that was used longest ago', () => {
    const clients = clientsOf({}, 2);
    const [first, second] = [clients.open(registry('one'), undefined, 'write'), clients.open(registry('two'), undefined, 'write')];
    expect(clients.open(registry('one'), undefined, 'write')).toBe(first);
    clients.open(registry('three'), undefined, 'write');

    expect(clients.open(registry('one'), undefined, 'write')).toBe(first);
    expect(clients.open(registry('two'), undefined, 'write')).not.toBe(second);
  });

  it('sends the secrets of a registry to it', async () => {
    const server = await startScriptedServer((_request, response) => response.writeHead(404).end());
    endings.push(() => server.stop());
    const prod = registry('prod', { url: server.origin, prefix: parseRepositoryName('acme'), ...withSecrets('a', 'b') });

    const client = clientsOf({ a: 'reader:one', b: 'writer:t:wo' }).open(prod, undefined, 'write');
    await client.repository(app).resolveTag(latest);
    await client.repository(app).mountBlob(sample.blob, parseRepositoryName('other'));

    const users = server.requests.map(({ headers }) =>
      Buffer.from(headers.authorization?.replace('Basic ', '') ?? '', 'base64').toString(),
    );
    expect(users[0]).toBe('reader:one');
    expect(users.at(-1)).toBe('writer:t:wo');
    expect(server.requests[0]?.url).toContain('/v2/acme/team/app/');
  });

  describe('for reading only', () => {
    it.each<[string, Registry['credentials'], Record<string, string>, string | undefined]>([
      ['its own secret', { read: { secret: 'r' }, write: { secret: 'w' } }, { r: 'reader:one', w: 'writer:two' }, 'reader:one'],
      ['its own secret where the other is missing', { read: { secret: 'r' }, write: { secret: 'w' } }, { r: 'reader:one' }, 'reader:one'],
      ['that for writing where none is declared', { write: { secret: 'w' } }, { w: 'writer:two' }, 'writer:two'],
      ['nothing where that is missing', { write: { secret: 'w' } }, {}, undefined],
      ['nothing where that is malformed', { write: { secret: 'w' } }, { w: 'hunter2' }, undefined],
    ])('a registry is sent %s', async (_what, credentials, values, sent) => {
      const server = await startScriptedServer((_request, response) => response.writeHead(404).end());
      endings.push(() => server.stop());
      const prod = registry('prod', { url: server.origin, ...(credentials === undefined ? {} : { credentials }) });

      await clientsOf(values).open(prod, undefined, 'read').repository(app).resolveTag(latest);

      const authorization = server.requests[0]?.headers.authorization;
      expect(authorization).toBe(sent === undefined ? undefined : `Basic ${Buffer.from(sent).toString('base64')}`);
    });

    it('a registry has a client of its own, and needs its secret for reading', () => {
      const prod = registry('prod', withSecrets('a'));
      const clients = clientsOf({ a: 'reader:one' });

      expect(clients.open(prod, undefined, 'read')).not.toBe(clients.open(prod, undefined, 'write'));
      expect(clients.open(prod, undefined, 'read')).toBe(clients.open(prod, undefined, 'read'));
      expect(errorOf(() => clientsOf().open(prod, undefined, 'read'))).toMatchObject({ code: 'unauthorized' });
    });
  });

  it('does not know where a local registry is that nobody told about', () => {
    expect(errorOf(() => clientsOf().open(local('prod'), undefined, 'write'))).toMatchObject({
      code: 'unreachable',
      retryable: true,
      message: expect.stringContaining('"waybill up"'),
    });
  });

  describe('when a secret cannot be used', () => {
    it.each<[string, Record<string, string>, string]>([
      ['is missing', {}, 'WAYBILL_SECRET_PROD_READ'],
      ['has no colon', { 'prod-read': 'hunter2' }, 'prod-read'],
    ])('says which one %s, and never what it holds', (_what, values, named) => {
      const error = errorOf(() => clientsOf(values).open(registry('prod', withSecrets('prod-read')), undefined, 'write'));

      expect(error).toMatchObject({ code: 'unauthorized', retryable: false });
      expect(error.message).toContain(named);
      expect(error.message).toContain('registry prod');
      expect(inspect(error, { depth: 10 })).not.toContain('hunter2');
    });

    it('speaks of the registry when the secret’s own store fails', () => {
      const secrets: SecretSource = {
        read: () => {
          throw new ConfigError('the file of the secret a cannot be read (EACCES)', { code: 'secret-invalid', operation: 'read secret' });
        },
      };
      const clients = new RegistryClients({ secrets });

      expect(errorOf(() => clients.open(registry('prod', withSecrets('a')), undefined, 'write'))).toMatchObject({
        code: 'unauthorized',
        message: expect.stringContaining('registry prod'),
      });
    });

    it('hides no mistake of ours', () => {
      const secrets: SecretSource = {
        read: () => {
          throw new TypeError('a defect');
        },
      };

      expect(() => new RegistryClients({ secrets }).open(registry('prod', withSecrets('a')), undefined, 'write')).toThrow(TypeError);
    });

    it('leaves the client alone that others still use', () => {
      const values: Record<string, string> = { a: 'reader:one' };
      const clients = clientsOf(values);
      const prod = registry('prod', withSecrets('a'));
      const client = clients.open(prod, undefined, 'write');
      delete values['a'];
      errorOf(() => clients.open(prod, undefined, 'write'));
      values['a'] = 'reader:one';

      expect(clients.open(prod, undefined, 'write')).toBe(client);
    });
  });

  it('reads the variable that its error names', () => {
    const secrets = environmentAndFolderSecrets({ prefix: 'WAYBILL_SECRET_' }, { WAYBILL_SECRET_PROD_READ: 'reader:one' });
    const clients = new RegistryClients({ secrets });
    endings.push(() => clients.close());

    expect(clients.open(registry('prod', withSecrets('prod-read')), undefined, 'write').host).toBe('prod.example.com');
  });
});

describe('originOf', () => {
  it.each([
    ['the URL of a registry that has one, whatever it was told', registry('prod'), 'http://127.0.0.1:1', 'https://prod.example.com'],
    ['the address of a local one', local('prod'), 'http://127.0.0.1:1', 'http://127.0.0.1:1'],
    ['nothing for a local one that is not running', local('prod'), undefined, undefined],
  ])('is %s', (_what, of, address, origin) => {
    expect(originOf(of, address)).toBe(origin);
  });
});
