import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { contentErrorOf, sample, type ScriptedRegistry, scriptedRegistries, type ScriptedServer } from '@waybill/testing';
import type { RegistryClientOptions, RequestEvent } from '../options.js';
import { anna, basicAnna, giveToken, hasTag, identity, isForToken, manifest } from './tokens.spec-helper.js';

const { blob, latest } = sample;

describe('a token server', () => {
  const registries = scriptedRegistries();

  async function start(
    token: (response: ServerResponse, count: number) => unknown,
    options: Partial<RegistryClientOptions> = {},
  ): Promise<ScriptedRegistry> {
    let asked = 0;
    return await registries.start(
      (request, response) => {
        if (request.url?.startsWith('/token') === true) {
          asked += 1;
          return token(response, asked);
        }
        if (request.headers.authorization?.startsWith('Bearer') === true) return hasTag(request, response);
        return response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token"` }).end();
      },
      { ...anna, ...options },
    );
  }

  it.each<[string, (response: ServerResponse) => unknown]>([
    ['cannot serve now', (response) => response.writeHead(503).end()],
    ['has enough of us for a moment', (response) => response.writeHead(429, { 'retry-after': '0' }).end()],
    ['breaks the connection', (response) => response.destroy()],
  ])('that %s is asked again', async (_what, fail) => {
    const { repository } = await start((response, count) => (count < 3 ? fail(response) : giveToken(response, 'token')), { retries: 2 });

    expect(await repository.resolveTag(latest)).toBe(manifest.digest);
  });

  it('is not asked three times three times', async () => {
    const { server, repository } = await start((response) => response.writeHead(503).end(), { retries: 2 });

    expect(await contentErrorOf(repository.resolveTag(latest))).toMatchObject({
      code: 'unavailable',
      retryable: true,
      operation: 'get token',
    });
    expect(server.requests.filter(isForToken)).toHaveLength(3);
  });

  it('that has enough of us for long is left alone', async () => {
    const { server, repository } = await start((response) => response.writeHead(429, { 'retry-after': '100' }).end(), { retries: 2 });

    const error = await contentErrorOf(repository.resolveTag(latest));

    expect(error).toMatchObject({ code: 'rate-limited', retryable: true, retryAfterMs: 100_000 });
    expect(server.requests.filter(isForToken)).toHaveLength(1);
  });

  it.each<[string, (response: ServerResponse) => unknown, object]>([
    ['refuses us', (response) => response.writeHead(401).end(), { code: 'unauthorized', retryable: false }],
    [
      'refuses us in OAuth',
      (response) => response.writeHead(400).end('{"error":"invalid_grant"}'),
      { code: 'unauthorized', retryable: false },
    ],
    ['allows nothing', (response) => response.writeHead(403).end(), { code: 'denied', retryable: false }],
    ['is none', (response) => response.writeHead(404).end(), { code: 'protocol', retryable: false }],
    [
      'sends us elsewhere',
      (response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
      { code: 'protocol', retryable: false },
    ],
    ['gives nothing', (response) => response.end(), { code: 'protocol', retryable: false }],
    ['gives a page', (response) => response.end('<html>sign in</html>'), { code: 'protocol', retryable: false }],
    ['gives no token', (response) => response.end('{"expires_in":300}'), { code: 'protocol', retryable: false }],
    ['gives a header', (response) => giveToken(response, 'a\r\nX-Evil: 1'), { code: 'protocol', retryable: false }],
    ['gives too much', (response) => giveToken(response, 'a'.repeat(70_000)), { code: 'protocol', retryable: false }],
    ['gives without end', (response) => pour(response), { code: 'protocol', retryable: false }],
    [
      'breaks off',
      (response) => response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy()),
      { code: 'unreachable' },
    ],
    ['says nothing', () => undefined, { code: 'timeout', retryable: true }],
  ])('that %s is reported by its name', async (_what, token, facts) => {
    const { server, repository } = await start(token, { timeouts: { answerMs: 2_000 } });

    const error = await contentErrorOf(repository.resolveTag(latest));

    expect(error).toMatchObject({ ...facts, operation: 'get token' });
    expect(error.message).toContain(server.host);
    expect(server.requests.filter(isForToken).length).toBeLessThanOrEqual(2);
  });

  it('shows as a request of its own, without what it gave', async () => {
    const events: RequestEvent[] = [];
    const { client, repository } = await start((response) => giveToken(response, 'opaque-s3cret'), {
      observe: (event) => events.push(event),
    });

    await repository.resolveTag(latest);

    expect(events.map(({ kind, status }) => [kind, status])).toEqual([
      ['tag', 401],
      ['token', 200],
      ['tag', 200],
    ]);
    expect(JSON.stringify(events) + inspect([client, repository], { depth: 12, showHidden: true })).not.toMatch(/s3cret|sesame/);
  });

  it('shows nothing of it in errors, whoever throws it back', async () => {
    const { repository } = await registries.start((request, response) => {
      const echo = `${request.headers.authorization} opaque-s3cret open sesame ${basicAnna}`;
      const body = JSON.stringify({ errors: [{ code: 'DENIED', message: echo }] });
      if (request.url?.startsWith('/token') === true) {
        return request.url.includes('push') ? response.writeHead(403).end(body) : giveToken(response, 'opaque-s3cret');
      }
      const realm = {
        'www-authenticate': `Bearer realm="http://${request.headers.host}/token",error="insufficient_scope",scope="${echo}"`,
      };
      return response.writeHead(401, realm).end(body);
    }, anna);

    const errors = [await contentErrorOf(repository.resolveTag(latest)), await contentErrorOf(repository.readManifest(latest))];
    errors.push(await contentErrorOf(repository.putTag(latest, manifest)));

    expect(errors.map(({ code, operation }) => [code, operation])).toEqual([
      ['denied', 'resolve tag'],
      ['denied', 'read manifest'],
      ['denied', 'get token'],
    ]);
    for (const error of errors) {
      const texts = [error.message, error.stack, JSON.stringify(error), inspect(error, { depth: 12, showHidden: true })].join();
      expect(texts).not.toMatch(/s3cret|sesame/);
      expect(texts).not.toContain(basicAnna.slice('Basic '.length));
    }
  });
});

describe('a token server elsewhere', () => {
  const registries = scriptedRegistries();

  async function start(
    options: (realm: string) => Partial<RegistryClientOptions>,
  ): Promise<ScriptedRegistry & { readonly tokens: ScriptedServer }> {
    const tokens = await registries.elsewhere((_request, response) => giveToken(response, 'token'));
    const registry = await registries.start((request, response) => {
      if (request.headers.authorization === 'Bearer token') return hasTag(request, response);
      return response.writeHead(401, { 'www-authenticate': `Bearer realm="${tokens.origin}/token",service="r"` }).end();
    }, options(tokens.origin));
    return { ...registry, tokens };
  }

  it('is told who we are when it was declared', async () => {
    const { repository, tokens } = await start((realm) => ({ ...anna, tokenRealms: [realm] }));

    expect(await repository.resolveTag(latest)).toBe(manifest.digest);
    expect(tokens.requests.map(({ headers }) => headers.authorization)).toEqual([basicAnna]);
  });

  it.each([
    ['user', anna],
    ['identity token', identity('refresh')],
  ])('is told of no %s when it was not, and the error says how to declare it', async (_what, options) => {
    const { repository, tokens, server } = await start(() => options);

    const error = await contentErrorOf(repository.resolveTag(latest));

    expect(error).toMatchObject({ code: 'unauthorized', retryable: false, details: { realm: tokens.origin } });
    expect(error.message).toBe(
      `${server.host} asks for a token of ${tokens.host}, which is not declared as a token server of it: ` +
        `if the registry's credentials may go there, add "${tokens.origin}" to its tokenRealms`,
    );
    expect(tokens.requests).toEqual([]);
  });

  it('is asked by nobody in particular', async () => {
    const { repository, tokens } = await start(() => ({}));

    expect(await repository.resolveTag(latest)).toBe(manifest.digest);
    expect(tokens.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it('is not asked for what only redirects to it', async () => {
    const tokens = await registries.elsewhere((_request, response) => giveToken(response, 'token'));
    const store = await registries.elsewhere((_request, response) =>
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${tokens.origin}/token"` }).end(),
    );
    const { repository } = await registries.start(
      (_request, response) => response.writeHead(307, { location: `${store.origin}/blob` }).end(),
      { ...anna, tokenRealms: [tokens.origin] },
    );

    expect((await contentErrorOf(repository.readBlob(blob))).code).toBe('unauthorized');
    expect(store.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    expect(tokens.requests).toEqual([]);
  });
});

/** As much as is taken, without an end. */
function pour(response: ServerResponse): void {
  const more = (): void => {
    while (!response.destroyed && response.write(' '.repeat(65_536)));
  };
  response.on('drain', more);
  more();
}
