import { describe, expect, it } from '@jest/globals';
import type { Clock } from '@waybill/kernel';
import { ContentError } from '@waybill/oci-model';
import { contentErrorOf } from '@waybill/testing';
import { parseScopes, scopeTexts } from './scopes.js';
import type { Token } from './token.js';
import type { TokenGrant } from './token-grant.js';
import type { TokenRequest } from './token-server.js';
import { Tokens } from './tokens.js';

const anna = { kind: 'basic', username: 'anna', password: 'open sesame' } as const;

class FakeTime implements Clock {
  ms = 0;
  now = (): Date => new Date(this.ms);
  monotonic = (): number => this.ms;
}

function scene(options: { readonly capacity?: number; readonly lifetimeMs?: number; readonly ageMs?: number } = {}) {
  const clock = new FakeTime();
  const asked: string[] = [];
  const { lifetimeMs = 100_000, ageMs = 0, capacity = 256 } = options;
  let answer = async (_signal?: AbortSignal): Promise<TokenGrant> => ({ value: `token-${asked.length}`, lifetimeMs, ageMs });
  const tokens = new Tokens({
    clock,
    capacity,
    server: {
      request: async (request, signal) => {
        asked.push(scopeTexts(request.scopes).join(' '));
        return await answer(signal);
      },
    },
  });
  const get = (
    scope: string,
    changes: Partial<TokenRequest> = {},
    purpose: 'short' | 'long' = 'short',
    signal?: AbortSignal,
  ): Promise<Token> => {
    const request = { realm: new URL('https://auth.example.com/token'), service: 'r', credentials: anna, ...changes };
    return tokens.get({ ...request, scopes: parseScopes(scope) }, { purpose, signal });
  };
  return { clock, asked, tokens, get, answerWith: (other: typeof answer) => (answer = other) };
}

describe('tokens', () => {
  it('are asked for once, by however many at once', async () => {
    const { asked, get } = scene();

    const all = await Promise.all([get('repository:a:pull'), get('repository:a:pull'), get('repository:a:pull')]);

    expect(new Set([...all, await get('repository:a:pull')]).size).toBe(1);
    expect(asked).toEqual(['repository:a:pull']);
  });

  it('serve for what is less', async () => {
    const { asked, get } = scene();

    await get('repository:a:pull,push repository:b:pull');
    for (const scope of ['repository:b:pull', 'repository:a:push', '']) await get(scope);
    await get('repository:b:pull,push');

    expect(asked).toEqual(['repository:a:pull,push repository:b:pull', 'repository:b:pull,push']);
  });

  it.each<[string, Partial<TokenRequest>]>([
    ['realm', { realm: new URL('https://auth.example.com/other') }],
    ['service', { service: 'other' }],
    ['user', { credentials: { ...anna, username: 'bob' } }],
    ['password', { credentials: { ...anna, password: 'shut sesame' } }],
    ['credentials at all', { credentials: undefined }],
  ])('of another %s are others', async (_what, changes) => {
    const { asked, get } = scene();

    expect((await get('repository:a:pull')).value).not.toBe((await get('repository:a:pull', changes)).value);
    expect(asked).toHaveLength(2);
  });

  it.each<{
    readonly are: string;
    readonly purpose?: 'short' | 'long';
    readonly after: number;
    readonly asks: number;
    readonly ageMs?: number;
    readonly lifetimeMs?: number;
  }>([
    { are: 'fresh', after: 94_999, asks: 1 },
    { are: 'about to expire', after: 95_001, asks: 2 },
    { are: 'too short for a long body', purpose: 'long', after: 50_001, asks: 2 },
    { are: 'long enough for a long body', purpose: 'long', after: 49_999, asks: 1 },
    { are: 'old already when they came', ageMs: 96_000, after: 0, asks: 2 },
    { are: 'of a short life, and young', lifetimeMs: 2_000, after: 1_700, asks: 1 },
    { are: 'of a short life, and old', lifetimeMs: 2_000, after: 1_900, asks: 2 },
    { are: 'of a very long life', lifetimeMs: 3_600_000, purpose: 'long', after: 3_500_000, asks: 1 },
  ])('that are $are after $after ms are asked for $asks times', async ({ purpose = 'short', after, asks, ...options }) => {
    const { asked, clock, get } = scene(options);
    await get('repository:a:pull');

    clock.ms = after;
    await get('repository:a:pull', {}, purpose);

    expect(asked).toHaveLength(asks);
  });

  it('that were refused are asked for again, but not their successors', async () => {
    const { asked, tokens, get } = scene();
    const old = await get('repository:a:pull');

    tokens.drop(old);
    await get('repository:a:pull');
    tokens.drop(old);
    await get('repository:a:pull');

    expect(asked).toHaveLength(2);
  });

  it('are kept in a bounded number, those used last', async () => {
    const { asked, get } = scene({ capacity: 2 });

    for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) await get(`repository:${name}:pull`);

    expect(asked.map((scope) => scope.charAt(11))).toEqual(['a', 'b', 'c', 'b']);
  });

  it('that could not be had are asked for again', async () => {
    const { asked, get, answerWith } = scene();
    answerWith(() => Promise.reject(new ContentError('no', { code: 'unavailable', operation: 'get token' })));

    const errors = await Promise.all([contentErrorOf(get('repository:a:pull')), contentErrorOf(get('repository:a:pull'))]);
    await contentErrorOf(get('repository:a:pull'));

    expect(errors.map(({ code }) => code)).toEqual(['unavailable', 'unavailable']);
    expect(asked).toHaveLength(2);
  });

  it('are given up when nobody waits for them any more, and not before', async () => {
    const { asked, get, answerWith } = scene();
    let aborted = 0;
    answerWith(
      (signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => {
            aborted += 1;
            reject(new ContentError('gone', { code: 'aborted', operation: 'get token' }));
          });
        }),
    );
    const [one, two] = [new AbortController(), new AbortController()];
    const first = contentErrorOf(get('repository:a:pull', {}, 'short', one.signal));
    const second = contentErrorOf(get('repository:a:pull', {}, 'short', two.signal));

    one.abort();
    expect((await first).code).toBe('aborted');
    expect(aborted).toBe(0);
    two.abort();
    expect((await second).code).toBe('aborted');
    expect(aborted).toBe(1);
    expect((await contentErrorOf(get('repository:a:pull', {}, 'short', AbortSignal.abort()))).code).toBe('aborted');
    expect(asked).toHaveLength(1);
  });
});
