import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { parseRepositoryName } from '@waybill/oci-model';
import { contentErrorOf, sample, type ScriptedRegistry, scriptedRegistries, streamOf } from '@waybill/testing';
import type { RegistryClientOptions } from '../options.js';
import { staticCredentials } from './static-credentials.js';
import { anna, basicAnna, giveToken, hasTag, identity, isForToken, manifest, queryOf, scopesAsked } from './tokens.spec-helper.js';

const { app, blob, bytes, latest } = sample;
const tagPath = `/v2/${app}/manifests/latest`;

interface Behaviour {
  /** Answers a request for a token; the default gives `token-<n>`. */
  readonly token?: (response: ServerResponse, count: number, request: IncomingMessage) => unknown;
  /** May a request with this token pass? Default: any may. */
  readonly takes?: (token: string, request: IncomingMessage) => boolean;
  readonly challenge?: (request: IncomingMessage) => string;
  readonly status?: number;
  /** Answers a request that was let in. */
  readonly pass?: (request: IncomingMessage, response: ServerResponse) => unknown;
}

describe('a registry that wants tokens', () => {
  const registries = scriptedRegistries();

  /** A registry and its token server at one origin. */
  async function start(behaviour: Behaviour = {}, options: Partial<RegistryClientOptions> = anna): Promise<ScriptedRegistry> {
    const {
      takes = () => true,
      status = 401,
      pass = hasTag,
      token = (response, count) => giveToken(response, `token-${count}`),
    } = behaviour;
    let given = 0;
    return await registries.start((request, response) => {
      if (request.url?.startsWith('/token') !== true) request.resume();
      const origin = `http://${request.headers.host}`;
      if (request.url?.startsWith('/token') === true) {
        given += 1;
        return token(response, given, request);
      }
      const carried = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
      if (carried !== undefined && takes(carried, request)) return pass(request, response);
      const error = carried === undefined ? '' : ',error="invalid_token"';
      const challenge = behaviour.challenge?.(request) ?? `Bearer realm="${origin}/token",service="r"${error}`;
      return response
        .writeHead(carried === undefined ? 401 : status, { 'www-authenticate': challenge.replaceAll('ORIGIN', origin) })
        .end('{}');
    }, options);
  }

  it('is told who we are once, and then gets tokens only', async () => {
    const { server, client, repository } = await start();

    await client.ping();
    await repository.resolveTag(latest);
    await repository.resolveTag(latest);

    expect(server.requests.map(({ url, headers }) => [url.replace(/\?.*/, ''), headers.authorization])).toEqual([
      ['/v2/', basicAnna],
      ['/token', basicAnna],
      ['/v2/', 'Bearer token-1'],
      ['/token', basicAnna],
      [tagPath, 'Bearer token-2'],
      [tagPath, 'Bearer token-2'],
    ]);
    expect(queryOf(server.requests[3])).toEqual([
      ['service', 'r'],
      ['scope', `repository:${app}:pull`],
      ['client_id', 'waybill'],
      ['account', 'anna'],
    ]);
  });

  it('is asked for its whole names below a prefix', async () => {
    const { server, repository } = await start({}, { ...anna, prefix: parseRepositoryName('acme') });

    await repository.resolveTag(latest);

    expect(scopesAsked(server.requests)).toEqual([`repository:acme/${app}:pull`]);
  });

  it('is asked as nobody where there are no credentials', async () => {
    const { server, repository } = await start({}, {});

    await repository.resolveTag(latest);

    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined, 'Bearer token-1']);
    expect(queryOf(server.requests[1]).map(([name]) => name)).toEqual(['service', 'scope', 'client_id']);
  });

  it.each([
    [
      'a user by POST, where GET is unknown',
      anna,
      ['GET', 'POST', 'POST'],
      { grant_type: 'password', username: 'anna', password: 'open sesame' },
    ],
    ['an identity token by POST', identity('refresh'), ['POST', 'POST'], { grant_type: 'refresh_token', refresh_token: 'refresh' }],
  ])('hears of %s', async (_who, options, methods, form) => {
    const forms: URLSearchParams[] = [];
    const { server, repository } = await start(
      {
        token: async (response, count, request) => {
          if (request.method === 'GET') return response.writeHead(405).end();
          forms.push(new URLSearchParams(await bodyOf(request)));
          return giveToken(response, `token-${count}`);
        },
      },
      options,
    );

    await repository.resolveTag(latest);
    await repository.putTag(latest, manifest).catch(() => undefined);

    expect(server.requests.filter(isForToken).map(({ method }) => method)).toEqual(methods);
    expect(Object.fromEntries(forms[0] ?? [])).toEqual({
      client_id: 'waybill',
      access_type: 'online',
      service: 'r',
      scope: `repository:${app}:pull`,
      ...form,
    });
    expect(server.requests.every(({ url }) => !url.includes('sesame') && !url.includes('refresh'))).toBe(true);
  });

  it('hears of an identity token by GET, where POST is unknown', async () => {
    const { server, repository } = await start(
      {
        token: (response, count, request) =>
          request.method === 'POST' ? response.writeHead(404).end() : giveToken(response, `token-${count}`),
      },
      identity('refresh'),
    );

    await repository.resolveTag(latest);

    const asked = server.requests.filter(isForToken);
    expect(asked.map(({ method }) => method)).toEqual(['POST', 'GET']);
    expect(asked[1]?.headers.authorization).toBe(`Basic ${Buffer.from('<token>:refresh').toString('base64')}`);
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
  });

  it('takes a registry token as it is', async () => {
    const { server, repository } = await start(
      {},
      { credentials: { read: staticCredentials({ kind: 'registry-token', token: 'made-elsewhere' }) } },
    );

    await repository.resolveTag(latest);

    expect(server.requests.map(({ url, headers }) => [url, headers.authorization])).toEqual([[tagPath, 'Bearer made-elsewhere']]);
  });

  it('gets what has a body again, when its token was refused', async () => {
    let isRevoked = false;
    const { server, repository } = await start({
      takes: (token) => !isRevoked || token !== 'token-1',
      pass: (_request, response) => response.writeHead(201).end(),
    });
    await repository.putTag(latest, manifest);
    isRevoked = true;

    await repository.putTag(latest, manifest);

    const puts = server.requests.filter(({ method }) => method === 'PUT');
    expect(puts.map(({ headers }) => headers.authorization)).toEqual([basicAnna, 'Bearer token-1', 'Bearer token-1', 'Bearer token-2']);
  });

  it('that takes no token of its own server is not asked for ever', async () => {
    const { server, repository } = await start({ takes: () => false });
    await contentErrorOf(repository.resolveTag(latest));
    const before = server.requests.length;

    const error = await contentErrorOf(repository.resolveTag(latest));

    expect(error).toMatchObject({ code: 'unauthorized', status: 401, retryable: false });
    expect(error.message).toContain('compare their clocks, keys, issuers and service names');
    expect(server.requests.slice(before).map(({ url }) => url.replace(/\?.*/, ''))).toEqual([tagPath, '/token', tagPath]);
  });

  it('that refuses a token with the bytes has the whole blob sent again', async () => {
    const { server, repository } = await start({
      takes: (token, request) => request.method !== 'PUT' || token !== 'token-1',
      pass: (request, response) => {
        if (request.method === 'POST') return response.writeHead(202, { location: '/v2/upload/1' }).end();
        return request.once('end', () => response.writeHead(request.method === 'PUT' ? 201 : 204).end());
      },
    });

    const error = await contentErrorOf(repository.pushBlob(blob, streamOf(bytes)));
    await repository.pushBlob(blob, streamOf(bytes));

    expect(error).toMatchObject({ code: 'unauthorized', retryable: true, operation: 'push blob', status: 401 });
    const puts = server.requests.filter(({ method }) => method === 'PUT');
    expect(puts.map(({ headers }) => headers.authorization === 'Bearer token-1')).toEqual([true, false]);
  });

  it.each([401, 403])('that grants too little is asked once for what its %d names', async (status) => {
    const { server, repository } = await start({
      status,
      challenge: (request) => {
        const error = request.headers.authorization?.startsWith('Bearer') === true ? ',error="insufficient_scope"' : '';
        return `Bearer realm="ORIGIN/token",service="r"${error},scope="repository:library/app:pull"`;
      },
      takes: () => false,
    });

    const errors = [await contentErrorOf(repository.resolveTag(latest)), await contentErrorOf(repository.resolveTag(latest))];

    for (const error of errors) {
      expect(error).toMatchObject({ code: 'denied', status, retryable: false });
      expect(error.message).toContain('would have to grant repository:library/app:pull');
    }
    expect(scopesAsked(server.requests)).toEqual([`repository:library/app:pull repository:${app}:pull`]);
  });

  it('that wants absurdly much is asked for what is needed', async () => {
    const absurd = Array.from({ length: 100 }, (_, index) => `repository:app-${index}:push`).join(' ');
    const { server, repository } = await start({ challenge: () => `Bearer realm="ORIGIN/token",scope="${absurd}"` });

    await repository.resolveTag(latest);

    expect(scopesAsked(server.requests)).toEqual([`repository:${app}:pull`]);
  });

  it('and offers Basic too gets a token', async () => {
    const { repository } = await start({ challenge: () => 'Basic realm="r", Bearer realm="ORIGIN/token"' });

    expect(await repository.resolveTag(latest)).toBe(manifest.digest);
  });

  it('and takes Basic again is told who we are again', async () => {
    let isNew = false;
    const { server, repository } = await start({
      takes: () => !isNew,
      challenge: () => (isNew ? 'Basic realm="r"' : 'Bearer realm="ORIGIN/token"'),
    });
    await repository.resolveTag(latest);
    isNew = true;

    await contentErrorOf(repository.resolveTag(latest));

    expect(server.requests.at(-1)?.headers.authorization).toBe(basicAnna);
  });

  it('takes the upload where its token server does not allow the mount', async () => {
    const { server, repository } = await start({
      token: (response, count, request) =>
        request.url?.includes('base') === true ? response.writeHead(403).end() : giveToken(response, `token-${count}`),
      pass: (_request, response) => response.writeHead(202, { location: '/v2/upload/1' }).end(),
    });

    expect(await repository.mountBlob(blob, parseRepositoryName('team/base'))).toMatchObject({ mounted: false });
    expect(scopesAsked(server.requests)).toEqual([`repository:${app}:pull,push repository:team/base:pull`, `repository:${app}:pull,push`]);
  });

  it('takes the upload where its token server grants nothing as soon as the mount is not allowed', async () => {
    const { server, repository } = await start({
      token: (response, _count, request) => giveToken(response, request.url?.includes('base') === true ? 'nothing' : 'upload'),
      takes: (token) => token === 'upload',
      challenge: (request) => {
        const error = request.headers.authorization === 'Bearer nothing' ? ',error="insufficient_scope"' : '';
        return `Bearer realm="ORIGIN/token",service="r"${error}`;
      },
      pass: ({ method }, response) => response.writeHead(method === 'PUT' ? 201 : 202, { location: '/v2/upload/1' }).end(),
    });

    expect(await repository.mountBlob(blob, parseRepositoryName('team/base'))).toEqual({ mounted: false });
    await repository.pushBlob(blob, streamOf(bytes));

    expect(scopesAsked(server.requests)).toEqual([`repository:${app}:pull,push repository:team/base:pull`, `repository:${app}:pull,push`]);
  });
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  return Buffer.concat((await request.toArray()) as Buffer[]).toString('utf8');
}
