import { describe, expect, it } from '@jest/globals';
import { diagnose, placeOf, topologyText } from '../planted.spec-helper.js';

const registry = (name: string, url: string, credentials: string) =>
  `${name}: { role: staging, location: eu, url: "${url}", credentials: { ${credentials} } }`;

describe('sharedSecrets', () => {
  it.each([
    ['write', 'read: { secret: b }, write: { secret: ▶a }', '/registries/two/credentials/write/secret'],
    ['read', 'read: { secret: ▶a }, write: { secret: b }', '/registries/two/credentials/read/secret'],
  ])('finds the secret of another origin, given to %s', (_access, credentials, at) => {
    const registries = [registry('one', 'https://a.example', 'write: { secret: a }'), registry('two', 'https://b.example', credentials)];

    const { found, marks } = diagnose(topologyText({ registries: registries.join('\n') }));

    expect(found).toMatchObject([
      {
        code: 'secret-shared',
        severity: 'error',
        path: at,
        message: 'secret "a" belongs to registry "one", which stands at another origin: give registry "two" one of its own',
      },
    ]);
    expect(found.map(placeOf)).toEqual(marks);
  });

  it.each([
    ['another port', 'https://a.example:5000'],
    ['another host', 'https://b.a.example'],
  ])('takes %s for another origin', (_what, url) => {
    const registries = [registry('one', 'https://a.example', 'write: { secret: a }'), registry('two', url, 'write: { secret: a }')];

    expect(diagnose(topologyText({ registries: registries.join('\n') })).found.map(({ code }) => code)).toEqual(['secret-shared']);
  });

  it('names every further use', () => {
    const registries = ['a', 'b', 'c'].map((host) =>
      registry(host, `https://${host}.example`, 'read: { secret: x }, write: { secret: x }'),
    );

    expect(diagnose(topologyText({ registries: registries.join('\n') })).found.map(({ path }) => path)).toEqual([
      '/registries/b/credentials/read/secret',
      '/registries/b/credentials/write/secret',
      '/registries/c/credentials/read/secret',
      '/registries/c/credentials/write/secret',
    ]);
  });

  it('lets registries of one origin share a secret, however the origin is written', () => {
    const registries = [
      'one: { role: staging, location: eu, url: "https://a.example", prefix: one, credentials: { write: { secret: a } } }',
      'two: { role: staging, location: eu, url: "https://A.example:443/", prefix: two, credentials: { read: { secret: a }, write: { secret: b } } }',
    ];

    expect(diagnose(topologyText({ registries: registries.join('\n') })).found).toEqual([]);
  });

  it('says nothing of a registry whose URL is wrong already', () => {
    const registries = [registry('one', 'https://a.example', 'write: { secret: a }'), registry('two', 'b.example', 'write: { secret: a }')];

    expect(diagnose(topologyText({ registries: registries.join('\n') })).found.map(({ code }) => code)).toEqual(['url-invalid']);
  });

  it.each<[string, string, string, string]>([
    [
      'of deletion',
      'credentials: { write: { secret: a } }',
      'credentials: { delete: { secret: ▶a } }',
      'secret "a" belongs to registry "one", which stands at another origin: give registry "two" one of its own',
    ],
    [
      'of a client certificate',
      'tls: { cert: { secret: c }, key: { secret: k } }',
      'tls: { cert: { secret: d }, key: { secret: ▶k } }',
      'secret "k" belongs to registry "one", which stands at another origin: give registry "two" one of its own',
    ],
    [
      'of a proxy, when it is the password of a registry',
      'credentials: { write: { secret: a } }',
      'proxy: { url: "http://p.example", secret: ▶a }',
      'secret "a" belongs to registry "one": give the proxy of registry "two" one of its own',
    ],
    [
      'of a registry, when it is the password of a proxy',
      'proxy: { url: "http://p.example", secret: a }',
      'credentials: { read: { secret: ▶a } }',
      'secret "a" belongs to the proxy of registry "one": give registry "two" one of its own',
    ],
    [
      'of another proxy',
      'proxy: { url: "http://p.example", secret: a }',
      'proxy: { url: "http://q.example", secret: ▶a }',
      'secret "a" belongs to the proxy of registry "one": give the proxy of registry "two" one of its own',
    ],
    [
      'that is a Docker configuration, and would be sent as a password',
      'credentials: { read: { dockerConfig: a } }',
      'credentials: { read: { secret: ▶a } }',
      'secret "a" is the Docker configuration of registry "one": give registry "two" one of its own',
    ],
    [
      'that is a password, and no Docker configuration',
      'credentials: { read: { secret: a } }',
      'credentials: { read: { dockerConfig: ▶a } }',
      'secret "a" belongs to registry "one": give the Docker configuration of registry "two" one of its own',
    ],
  ])('finds the secret %s', (_what, one, two, message) => {
    const registries = [
      `one: { role: staging, location: eu, url: "https://a.example", ${one} }`,
      `two: { role: staging, location: eu, url: "https://b.example", ${two} }`,
    ];

    const { found, marks } = diagnose(topologyText({ registries: registries.join('\n') }));

    expect(found).toMatchObject([{ code: 'secret-shared', message }]);
    expect(found.map(placeOf)).toEqual(marks);
  });

  it.each([
    ['one Docker configuration, which has an entry for each', 'credentials: { read: { dockerConfig: a } }'],
    ['one proxy', 'proxy: { url: "http://p.example", secret: a }'],
    ['one authority, which is no secret', 'tls: { ca: { secret: a } }'],
  ])('lets registries of two origins share %s', (_what, keys) => {
    const registries = [
      `one: { role: staging, location: eu, url: "https://a.example", ${keys} }`,
      `two: { role: staging, location: eu, url: "https://b.example", ${keys} }`,
    ];

    expect(diagnose(topologyText({ registries: registries.join('\n') })).found).toEqual([]);
  });
});
