import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { contentErrorOf, makeTestFolder, sample, startScriptedServer } from '@waybill/testing';
import type { Registry } from '@waybill/topology';
import { RegistryClients, type RegistryClientsOptions } from './registry-clients.js';

const { app, latest } = sample;

describe('whom a registry is asked as', () => {
  const endings: (() => void | Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0)) await end();
  });

  async function started(
    credentials: NonNullable<Registry['credentials']>,
    values: Record<string, string> = {},
    options: Partial<RegistryClientsOptions> = {},
  ) {
    const server = await startScriptedServer((_request, response) => response.writeHead(404).end());
    const clients = new RegistryClients({ secrets: { read: (name) => values[name] }, ...options });
    endings.push(
      () => clients.close(),
      () => server.stop(),
    );
    const registry: Registry = {
      name: 'prod',
      role: 'prod',
      location: 'eu',
      url: server.origin,
      insecure: false,
      immutableTags: { kind: 'none' },
      credentials,
    };
    const users = () =>
      server.requests.map(({ headers }) => Buffer.from((headers.authorization ?? '').replace('Basic ', ''), 'base64').toString());
    return { clients, registry, server, users };
  }

  const configOf = (host: string, user: string): string =>
    JSON.stringify({ auths: { [host]: { auth: Buffer.from(user).toString('base64') } } });

  it('stands in a Docker configuration, which may change', async () => {
    const values: Record<string, string> = {};
    const { clients, registry, server, users } = await started({ read: { dockerConfig: 'd' } }, values);
    values['d'] = configOf(server.host, 'reader:one');
    const repository = clients.open(registry, undefined, 'read').repository(app);
    await repository.resolveTag(latest);

    values['d'] = configOf(server.host, 'reader:two');
    await repository.resolveTag(latest);

    expect(users()).toEqual(['reader:one', 'reader:two']);
  });

  it('is nobody where the Docker configuration has no entry', async () => {
    const { clients, registry, users } = await started({ read: { dockerConfig: 'd' } }, { d: configOf('other.example.com', 'reader:one') });

    await clients.open(registry, undefined, 'read').repository(app).resolveTag(latest);

    expect(users()).toEqual(['']);
  });

  it('is asked of a helper by the registry’s host', async () => {
    const folder = await makeTestFolder('helper-');
    endings.push(() => rm(folder, { recursive: true }));
    const program = join(folder, 'docker-credential-spec');
    await writeFile(program, '#!/bin/sh\nread -r server\nprintf \'{"Username":"%s","Secret":"%s"}\' "$USER_OF_HELPER" "$server"\n');
    await chmod(program, 0o755);
    const helperEnvironment = { PATH: `${folder}:/usr/bin:/bin`, USER_OF_HELPER: 'helped' };
    const { clients, registry, server, users } = await started({ read: { helper: 'spec' } }, {}, { helperEnvironment });

    await clients.open(registry, undefined, 'read').repository(app).resolveTag(latest);

    expect(users()).toEqual([`helped:${server.host}`]);
  });

  it('rotates while a client is at work', async () => {
    const values: Record<string, string> = { w: 'writer:one' };
    const { clients, registry, users } = await started({ write: { secret: 'w' } }, values);
    const client = clients.open(registry, undefined, 'write');
    await client.repository(app).resolveTag(latest);
    values['w'] = 'writer:two';

    await clients.open(registry, undefined, 'write').repository(app).resolveTag(latest);

    expect(users()).toEqual(['writer:one', 'writer:two']);
  });

  it.each<[string, NonNullable<Registry['credentials']>, string]>([
    ['a Docker configuration', { read: { dockerConfig: 'prod-docker' } }, 'WAYBILL_SECRET_PROD_DOCKER=the text of a Docker config.json'],
    ['a secret for writing', { write: { secret: 'prod-write' } }, 'WAYBILL_SECRET_PROD_WRITE=username:password'],
  ])('is missed at once without %s', async (_what, credentials, says) => {
    const { clients, registry } = await started(credentials);

    expect(() => clients.open(registry, undefined, 'write')).toThrow(
      expect.objectContaining({ code: 'unauthorized', message: expect.stringContaining(says) }),
    );
  });

  it('is missed for deletion only by whoever deletes, and no other takes that place', async () => {
    const values: Record<string, string> = { w: 'writer:one' };
    const { clients, registry, server, users } = await started({ write: { secret: 'w' }, delete: { secret: 'd' } }, values);
    const deleters = () => users().filter((_user, index) => server.requests[index]?.method === 'DELETE');
    const repository = clients.open(registry, undefined, 'write').repository(app);

    await repository.resolveTag(latest);
    const error = await contentErrorOf(repository.deleteManifest(sample.blob.digest));

    expect(error).toMatchObject({ code: 'unauthorized', message: expect.stringContaining('WAYBILL_SECRET_D') });
    expect(deleters()).toEqual([]);

    values['d'] = 'remover:two';
    await clients.open(registry, undefined, 'write').repository(app).deleteManifest(sample.blob.digest);
    expect(deleters()).toEqual(['remover:two']);
  });
});
