import { describe, expect, it } from '@jest/globals';
import { diagnose, placeOf, type Planted, topologyText } from '../planted.spec-helper.js';

interface Mistake extends Planted {
  readonly name: string;
  readonly code: string;
  readonly says: string;
  readonly suggests?: string;
  readonly at: string;
}

const mistakes: readonly Mistake[] = [
  {
    name: 'a path to a registry without credentials',
    code: 'credentials-missing',
    says: 'registry "far" is written to and has no credentials',
    at: '/registries/far',
    registries: '▶far: { role: prod, location: eu, url: "https://a.example" }',
    paths: 'p: { from: snapshots, to: [far], repositories: ["**"], tags: ".*" }',
  },
  {
    name: 'a path to a registry with read credentials only',
    code: 'credentials-missing',
    says: 'registry "far" is written to',
    at: '/registries/far/credentials',
    registries: 'far: { role: prod, location: eu, url: "https://a.example", ▶credentials: { read: { secret: a } } }',
    paths: 'p: { from: snapshots, to: [far], repositories: ["**"], tags: ".*" }',
  },
  {
    name: 'a replica without credentials',
    code: 'credentials-missing',
    says: 'registry "copy" is written to',
    at: '/registries/copy',
    registries: '▶copy: { role: replica, of: prod, location: us, url: "https://a.example" }',
    replications: '- { from: prod, to: [copy], repositories: ["**"] }',
  },
];

describe('missingCredentials', () => {
  it.each(mistakes)('$name', ({ code, says, suggests, at, ...planted }) => {
    const { found, marks } = diagnose(topologyText(planted));

    const diagnostic = found.find((one) => one.code === code && placeOf(one) === marks[0]);
    expect({ found: found.map((one) => `${one.code} ${placeOf(one)} ${one.message}`), diagnostic }).toMatchObject({
      diagnostic: { message: expect.stringContaining(says), path: at, severity: 'error' },
    });
    expect(diagnostic?.suggestion).toBe(suggests);
  });

  it.each([
    [
      'a target with write credentials',
      'far: { role: prod, location: eu, url: "https://a.example", credentials: { write: { secret: a } } }',
      'far',
    ],
    [
      'a target that knows us by a certificate',
      'far: { role: prod, location: eu, url: "https://a.example", tls: { cert: { secret: c }, key: { secret: k } } }',
      'far',
    ],
    ['a source', 'far: { role: ci-snapshots, location: eu, url: "https://a.example" }', 'prod'],
  ])('asks nothing more of %s', (_name, registries, to) => {
    const paths = `p: { from: ${to === 'far' ? 'snapshots' : 'far'}, to: [${to}], repositories: ["**"], tags: ".*" }`;

    expect(diagnose(topologyText({ registries, paths })).found).toEqual([]);
  });

  it('does not call credentials that are wrong missing ones', () => {
    const registries = 'far: { role: prod, location: eu, url: "https://a.example", credentials: { write: { secret: "A B" } } }';
    const paths = 'p: { from: snapshots, to: [far], repositories: ["**"], tags: ".*" }';

    expect(diagnose(topologyText({ registries, paths })).found.map(({ code }) => code)).toEqual(['name-invalid']);
  });
});
