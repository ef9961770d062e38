import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Permission, RegistryUser } from './access.js';
import { codesOf, RawRegistry } from './raw-http.spec-helper.js';

const users: readonly RegistryUser[] = [
  { name: 'reader', password: 'r', may: ['read'] },
  { name: 'writer', password: 'w:with:colons', may: ['read', 'write'] },
  { name: 'cleaner', password: 'ü', may: ['read', 'delete'] },
];
const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
const headerOf = (name: string) => ({ authorization: basic(name, users.find((user) => user.name === name)?.password ?? '') });
const absent = `sha256:${'0'.repeat(64)}`;

const requests: readonly (readonly [string, string, Permission])[] = [
  ['GET', '/v2/', 'read'],
  ['GET', '/v2/_catalog', 'read'],
  ['GET', '/v2/app/tags/list', 'read'],
  ['HEAD', '/v2/app/manifests/1.0', 'read'],
  ['GET', `/v2/app/referrers/${absent}`, 'read'],
  ['GET', `/v2/app/blobs/${absent}`, 'read'],
  ['POST', '/v2/app/blobs/uploads/', 'write'],
  ['PUT', '/v2/app/manifests/1.0', 'write'],
  ['GET', '/v2/app/blobs/uploads/01234567-89ab-cdef-0123-456789abcdef', 'write'],
  ['DELETE', '/v2/app/blobs/uploads/01234567-89ab-cdef-0123-456789abcdef', 'write'],
  ['DELETE', '/v2/app/manifests/1.0', 'delete'],
  ['DELETE', `/v2/app/blobs/${absent}`, 'delete'],
];

describe('a registry with users', () => {
  let registry: RawRegistry;

  beforeAll(async () => {
    registry = await RawRegistry.start('memory', { users });
  });
  afterAll(() => registry.stop());

  it.each(requests)('wants a user for %s %s', async (method, path) => {
    const answer = await registry.ask(method, path);

    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm=".+"/);
    if (method !== 'HEAD') expect(codesOf(answer)).toEqual(['UNAUTHORIZED']);
  });

  it.each(requests)('lets %s %s through to those who may %s alone', async (method, path, permission) => {
    for (const { name, may } of users) {
      const { status } = await registry.ask(method, path, { headers: headerOf(name) });

      expect(status === 403).toBe(!may.includes(permission));
      expect(status).not.toBe(401);
    }
  });

  it.each([
    ['an unknown user', basic('nobody', 'r')],
    ['a wrong password', basic('reader', 'w')],
    ['a password of another length', basic('reader', 'r'.repeat(1000))],
    ['a name alone', `Basic ${Buffer.from('reader').toString('base64')}`],
    ['no base64', 'Basic !!'],
    ['another scheme', 'Bearer cg=='],
    ['a name that every object has', basic('constructor', '')],
  ])('refuses %s', async (_what, authorization) => {
    expect((await registry.ask('GET', '/v2/', { headers: { authorization } })).status).toBe(401);
  });

  it('takes the scheme in any case', async () => {
    const authorization = basic('reader', 'r').replace('Basic', 'bASIC');

    expect((await registry.ask('GET', '/v2/', { headers: { authorization } })).status).toBe(200);
  });
});

describe('a registry that everybody may read', () => {
  let registry: RawRegistry;

  beforeAll(async () => {
    registry = await RawRegistry.start('memory', { users, anonymousRead: true });
  });
  afterAll(() => registry.stop());

  it('asks no name for reading, and one for the rest', async () => {
    expect((await registry.ask('GET', '/v2/')).status).toBe(200);
    expect((await registry.ask('POST', '/v2/app/blobs/uploads/')).status).toBe(401);
  });

  it('still refuses a wrong password', async () => {
    expect((await registry.ask('GET', '/v2/', { headers: { authorization: basic('reader', 'x') } })).status).toBe(401);
  });
});
