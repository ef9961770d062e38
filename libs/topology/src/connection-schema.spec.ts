import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createAuthority } from '@waybill/testing';
import type { DiagnosticCode } from './diagnostic.js';
import { diagnose, placeOf, topologyText } from './planted.spec-helper.js';
import { topologyWith } from './questions.spec-helper.js';

const { ca, issue } = createAuthority();
const far = (keys: string): string => `far: { role: staging, location: eu, url: "https://a.example", ${keys} }`;
const quotedPem = (pem: string): string => JSON.stringify(pem);

describe('how a registry is connected to', () => {
  it.each<[string, string, DiagnosticCode, string, string | undefined]>([
    ['a secret that is no name', 'credentials: { delete: { secret: ▶hunter2! } }', 'name-invalid', '"secret" is not the name', undefined],
    [
      'a Docker configuration in clear',
      `credentials: { read: { dockerConfig: ▶'{"auths":{"a":{"auth":"hunter2"}}}' } }`,
      'name-invalid',
      '"dockerConfig" is not the name of a secret',
      undefined,
    ],
    ['a helper by its whole name', 'credentials: { read: { helper: ▶/bin/x } }', 'name-invalid', 'is not a name', undefined],
    ['an unknown source', 'credentials: { read: { ▶dockerconfig: a } }', 'key-unknown', 'unknown key', 'dockerConfig'],
    ['a token realm that is no address', 'tokenRealms: [▶auth.example.com]', 'url-invalid', 'is not a URL such as https://auth', undefined],
    ['a token realm with a query', 'tokenRealms: [▶"https://a.example/t?x=hunter2"]', 'url-invalid', 'is not a URL', undefined],
    ['a token realm with a password', 'tokenRealms: [▶"https://u:hunter2@a.example"]', 'url-credentials', 'must not hold', undefined],
    ['a token realm that is no list', 'tokenRealms: ▶"https://a.example"', 'value-invalid', 'must be a list', undefined],
    ['a file for an authority', 'tls: { ca: ▶ca.pem }', 'value-invalid', '"ca" is no certificate in PEM form; to name a secret', undefined],
    [
      'an authority that cannot be read',
      'tls: { ca: ▶"-----BEGIN CERTIFICATE-----\\nhunter2\\n-----END CERTIFICATE-----" }',
      'value-invalid',
      'has a certificate that cannot be read',
      undefined,
    ],
    ['an authority that is a list', 'tls: { ca: ▶[] }', 'value-invalid', '"ca" must be a text, not a list', undefined],
    ['an authority by an unknown key', 'tls: { ca: { ▶secrets: a } }', 'key-unknown', 'unknown key "secrets"', 'secret'],
    ['a key in clear', 'tls: { cert: { secret: a }, key: ▶hunter2 }', 'value-invalid', '"key" must be a mapping, not a text', undefined],
    ['a server name that is an address', 'tls: { serverName: ▶"10.0.0.1" }', 'value-invalid', '"serverName" is not a host name', undefined],
    ['a server name with a port', 'tls: { serverName: ▶"a.example:443" }', 'value-invalid', '"serverName" is not a host name', undefined],
    ['a wish not to verify', 'tls: { ▶insecureSkipVerify: true }', 'key-unknown', 'unknown key "insecureSkipVerify"', undefined],
    ['a misspelt environment', 'proxy: ▶enviroment', 'value-invalid', '"proxy" is neither environment nor a URL', 'environment'],
    ['a proxy with a password', 'proxy: ▶"http://u:hunter2@proxy:3128"', 'url-credentials', 'name a secret beside it', undefined],
    ['a proxy with a password, at length', 'proxy: { url: ▶"http://u:hunter2@proxy" }', 'url-credentials', 'name a secret', undefined],
    ['a proxy of another kind', 'proxy: ▶"socks5://proxy:1080"', 'url-invalid', 'is not a URL such as http://proxy', undefined],
    ['a proxy with a path', 'proxy: { url: ▶"http://proxy/x" }', 'url-invalid', 'is not a URL such as http://proxy', undefined],
    ['a proxy without address', 'proxy: { ▶secret: a }', 'key-missing', 'key "url" is missing', undefined],
    ['an unknown key of a proxy', 'proxy: { url: "http://p", ▶excepts: [a] }', 'key-unknown', 'unknown key "excepts"', 'except'],
    [
      'an exception of nothing',
      'proxy: { url: "http://p", except: [▶"a b"] }',
      'value-invalid',
      'an entry of "except" is no host',
      undefined,
    ],
    [
      'a pinned host with a port',
      'resolve: { ▶"a.example:443": ["10.0.0.1"] }',
      'value-invalid',
      '"a.example:443" is not a host name',
      undefined,
    ],
    ['a pinned name for a name', 'resolve: { a.example: [▶b.example] }', 'value-invalid', 'is no IP address', undefined],
    ['a host pinned to nothing', 'resolve: { a.example: ▶[] }', 'value-invalid', 'must have at least 1 entries', undefined],
    ['a timeout without a unit', 'timeouts: { connect: ▶"10" }', 'value-invalid', '"connect" is no duration such as 500ms', undefined],
    ['a timeout that is a number', 'timeouts: { connect: ▶10 }', 'value-invalid', '"connect" must be a text, not a number', undefined],
    ['a timeout too short', 'timeouts: { answer: ▶99ms }', 'value-invalid', 'at least 100ms and at most 6h', undefined],
    ['a timeout too long', 'timeouts: { commit: ▶7h }', 'value-invalid', 'at least 100ms and at most 6h', undefined],
    ['an unknown timeout', 'timeouts: { ▶conect: 1s }', 'key-unknown', 'unknown key "conect"', 'connect'],
    ['no connection', 'limits: { connections: ▶0 }', 'value-invalid', '"connections" must be at least 1', undefined],
  ])('finds %s', (_name, keys, ...expected) => {
    const [code, says, suggestion] = expected;
    const { found, marks } = diagnose(topologyText({ registries: far(keys) }));

    const at = (one: { readonly line: number; readonly column: number }) => `${one.line}:${one.column}`;
    const diagnostic = found.find((one) => one.code === code && (code === 'key-missing' || at(one) === marks[0]));
    expect({ found, diagnostic }).toMatchObject({ diagnostic: { severity: 'error', message: expect.stringContaining(says) } });
    expect(diagnostic?.suggestion).toBe(suggestion);
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });

  it('warns whoever wrote a private key into the file, and does not repeat it', () => {
    const { key } = issue();

    const { found } = diagnose(topologyText({ registries: far(`tls: { ca: ${quotedPem(ca + key)} }`) }));

    expect(found).toMatchObject([{ code: 'value-invalid', message: '"ca" holds a private key; whoever reads this file has it now' }]);
    expect(JSON.stringify(found)).not.toContain(key.slice(30, 60));
  });

  it('takes certificates as they are', () => {
    const { far: registry } = topologyWith({ registries: far(`tls: { ca: ${quotedPem(`old\n${issue().cert}${ca}`)} }`) }).registries;

    const text = registry?.tls?.ca;
    expect(new X509Certificate(typeof text === 'string' ? text : '').subject).toBe('CN=waybill test');
  });

  it.each<[string, string, object]>([
    [
      'credentials',
      'credentials: { read: { dockerConfig: a }, write: { helper: ecr-login }, delete: { secret: b } }',
      { credentials: { read: { dockerConfig: 'a' }, write: { helper: 'ecr-login' }, delete: { secret: 'b' } } },
    ],
    [
      'token realms',
      'tokenRealms: ["https://Auth.example.com/", "https://auth.example.com/jwt/auth"]',
      { tokenRealms: ['https://auth.example.com', 'https://auth.example.com/jwt/auth'] },
    ],
    [
      'TLS',
      'tls: { ca: { secret: ca }, cert: { secret: c }, key: { secret: k }, serverName: Registry.Internal }',
      { tls: { ca: { secret: 'ca' }, cert: { secret: 'c' }, key: { secret: 'k' }, serverName: 'registry.internal' } },
    ],
    ['proxies of the environment', 'proxy: environment', { proxy: 'environment' }],
    ['a proxy in short', 'proxy: "http://Proxy.example:3128/"', { proxy: { url: 'http://proxy.example:3128' } }],
    [
      'a proxy at length',
      'proxy: { url: "https://proxy.example", secret: p, except: ["*", .corp, "10.0.0.0/8", "[2001:db8::1]:443", "a:80"] }',
      { proxy: { url: 'https://proxy.example', secret: 'p', except: ['*', '.corp', '10.0.0.0/8', '[2001:db8::1]:443', 'a:80'] } },
    ],
    ['pinned addresses', 'resolve: { A.Example: ["10.0.0.1", "2001:db8::1"] }', { resolve: { 'a.example': ['10.0.0.1', '2001:db8::1'] } }],
    [
      'timeouts',
      'timeouts: { connect: 500ms, answer: 10s, commit: 5m, idle: 20s, small: 1h }',
      { timeouts: { connectMs: 500, answerMs: 10_000, commitMs: 300_000, idleMs: 20_000, smallMs: 3_600_000 } },
    ],
    ['limits', 'limits: { connections: 4 }', { limits: { connections: 4 } }],
  ])('understands %s', (_what, keys, resolved) => {
    expect(topologyWith({ registries: far(keys) }).registries['far']).toMatchObject(resolved);
  });

  it('has nothing to say where nothing is written', () => {
    expect(topologyWith({ registries: far('prefix: acme') }).registries['far']).toEqual({
      name: 'far',
      role: 'staging',
      location: 'eu',
      url: 'https://a.example',
      prefix: 'acme',
      insecure: false,
      immutableTags: { kind: 'semver' },
    });
  });
});

describe('keys of a connection together', () => {
  it.each<[string, string, DiagnosticCode, string, string]>([
    ['credentials from nowhere', 'credentials: { ▶read: {} }', 'credentials-source', '"read" says not where', 'credentials/read'],
    [
      'credentials from two places',
      'credentials: { ▶delete: { secret: a, helper: b } }',
      'credentials-source',
      '"delete" takes credentials from 2 places',
      'credentials/delete',
    ],
    ['a certificate without its key', 'tls: { ▶cert: { secret: a } }', 'tls-half', '"tls" has "cert" and no "key"', 'tls/cert'],
    ['a key without its certificate', 'tls: { ▶key: { secret: a } }', 'tls-half', '"tls" has "key" and no "cert"', 'tls/key'],
    [
      'pinned addresses behind a proxy',
      'proxy: "http://p:3128", ▶resolve: { a.example: ["10.0.0.1"] }',
      'resolve-behind-proxy',
      '"resolve" has no effect: the proxy of registry "far" resolves all names',
      'resolve',
    ],
  ])('finds %s', (_name, keys, ...expected) => {
    const [code, says, path] = expected;
    const { found, marks } = diagnose(topologyText({ registries: far(keys) }));

    expect(found).toMatchObject([{ code, severity: 'error', message: expect.stringContaining(says), path: `/registries/far/${path}` }]);
    expect(found.map(placeOf)).toEqual(marks);
  });

  it.each([
    ['behind a proxy with exceptions', 'proxy: { url: "http://p", except: [a.example] }, resolve: { a.example: ["10.0.0.1"] }'],
    ['beside the proxies of the environment', 'proxy: environment, resolve: { a.example: ["10.0.0.1"] }'],
  ])('allows pinned addresses %s', (_what, keys) => {
    expect(diagnose(topologyText({ registries: far(keys) })).found).toEqual([]);
  });

  it('finds TLS set up for a registry that speaks none', () => {
    const registries = 'far: { role: staging, location: eu, url: "http://127.0.0.1:5000", ▶tls: { serverName: a.example } }';

    const { found, marks } = diagnose(topologyText({ registries }));

    expect(found).toMatchObject([{ code: 'tls-without-https', path: '/registries/far/tls' }]);
    expect(found.map(placeOf)).toEqual(marks);
  });

  it.each(['tokenRealms: ["https://a.example"]', 'tls: {}', 'proxy: environment', 'resolve: {}'])(
    'means nothing for a local registry: %s',
    (key) => {
      const { found, marks } = diagnose(topologyText({ registries: `far: { role: staging, location: eu, local: true, ▶${key} }` }));

      expect(found).toMatchObject([{ code: 'local-excludes' }]);
      expect(found.map(placeOf)).toEqual(marks);
    },
  );

  it.each(['timeouts: { idle: 5s }', 'limits: { connections: 2 }'])('may be said of a local registry: %s', (key) => {
    expect(diagnose(topologyText({ registries: `far: { role: staging, location: eu, local: true, ${key} }` })).found).toEqual([]);
  });

  it('wants token realms encrypted, but for loopback and where plain http is wanted', () => {
    const realms = (url: string, rest: string) => `far: { role: staging, location: eu, url: "${url}", ${rest} }`;
    const codes = (registries: string) => diagnose(topologyText({ registries })).found.map(({ code, path }) => `${code} ${path}`);

    expect(codes(realms('https://a.example', 'tokenRealms: ["https://b.example", "http://c.example"]'))).toEqual([
      'url-insecure /registries/far/tokenRealms/1',
    ]);
    expect(codes(realms('http://127.0.0.1:5000', 'tokenRealms: ["http://127.0.0.1:5001/token"]'))).toEqual([]);
    expect(codes(realms('http://a.example', 'insecure: true, tokenRealms: ["http://b.example"]'))).toEqual([]);
  });
});
