import { describe, expect, it } from '@jest/globals';
import { contentErrorOf, sample, scriptedRegistries } from '@waybill/testing';
import type { CredentialProvider, ProvidedCredentials } from './credentials.js';
import { basicCredentials } from './static-credentials.js';
import { anna, basicAnna, giveToken, hasTag, isForToken, manifest } from './tokens.spec-helper.js';

const { latest } = sample;

describe('credentials that change', () => {
  const registries = scriptedRegistries();

  /** Gives a password until it is told to forget it. */
  function renewing(passwords: readonly string[], expiresAt?: Date): CredentialProvider & { readonly forgotten: number } {
    let forgotten = 0;
    return {
      get forgotten() {
        return forgotten;
      },
      get: async (): Promise<ProvidedCredentials> => ({
        credentials: { kind: 'basic', username: 'anna', password: passwords[forgotten] ?? 'none left' },
        ...(expiresAt === undefined || forgotten > 0 ? {} : { expiresAt }),
      }),
      forget: () => {
        forgotten += 1;
      },
    };
  }
  const isNew = (header: string | undefined): boolean => header === `Basic ${Buffer.from('anna:new').toString('base64')}`;

  it('are asked for anew when a registry refuses them', async () => {
    const read = renewing(['old', 'new']);
    const { server, repository } = await registries.start(
      (request, response) => {
        if (isNew(request.headers.authorization)) return hasTag(request, response);
        return response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
      },
      { credentials: { read } },
    );

    await repository.resolveTag(latest);

    expect(read.forgotten).toBe(1);
    expect(server.requests).toHaveLength(2);
  });

  it('are asked for anew when a token server refuses them', async () => {
    const read = renewing(['old', 'new']);
    const { server, repository } = await registries.start(
      (request, response) => {
        if (request.headers.authorization === 'Bearer token') return hasTag(request, response);
        if (request.url?.startsWith('/token') === true && isNew(request.headers.authorization)) return giveToken(response, 'token');
        return response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token"` }).end();
      },
      { credentials: { read } },
    );

    await repository.resolveTag(latest);

    expect(read.forgotten).toBe(1);
    expect(server.requests.filter(isForToken)).toHaveLength(2);
  });

  it('are refused for good when they stay the same', async () => {
    const read = renewing(['old', 'old', 'new']);
    const { server, repository } = await registries.start(
      (_request, response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end(),
      { credentials: { read } },
    );

    expect(await contentErrorOf(repository.resolveTag(latest))).toMatchObject({ code: 'unauthorized', retryable: false });
    expect(server.requests).toHaveLength(1);
  });

  it('are asked for anew when they have expired', async () => {
    const { server, repository } = await registries.start(hasTag, { credentials: { read: renewing(['old', 'new'], new Date(0)) } });

    await repository.resolveTag(latest);

    expect(server.requests.map(({ headers }) => isNew(headers.authorization))).toEqual([true]);
  });

  it('for deletion are those for writing, unless there are others', async () => {
    const remove = { delete: basicCredentials('remover', 'away') };
    const seen: (string | undefined)[] = [];
    for (const credentials of [anna.credentials, { ...anna.credentials, ...remove }]) {
      const { server, repository } = await registries.start((_request, response) => response.writeHead(202).end(), { credentials });
      await repository.deleteManifest(manifest.digest);
      seen.push(server.requests.find(({ method }) => method === 'DELETE')?.headers.authorization);
    }

    expect(seen).toEqual([basicAnna, `Basic ${Buffer.from('remover:away').toString('base64')}`]);
  });
});
