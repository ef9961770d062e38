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
    name: 'url and local together',
    code: 'address-twice',
    says: 'registry "far" has both url and local',
    at: '/registries/far/url',
    registries: 'far: { role: sandbox, location: eu, local: true, ▶url: "https://a.example" }',
  },
  {
    name: 'credentials of a local registry',
    code: 'local-excludes',
    says: '"credentials" means nothing for a local registry',
    at: '/registries/far/credentials',
    registries: 'far: { role: sandbox, location: eu, local: true, ▶credentials: { read: { secret: a } } }',
  },
  {
    name: 'insecure for a local registry',
    code: 'local-excludes',
    says: '"insecure" means nothing for a local registry',
    at: '/registries/far/insecure',
    registries: 'far: { role: sandbox, location: eu, local: true, ▶insecure: true }',
  },
  {
    name: 'plain http to another machine',
    code: 'url-insecure',
    says: 'use https, or say "insecure: true"',
    at: '/registries/far/url',
    registries: 'far: { role: sandbox, location: eu, url: ▶"http://registry.example" }',
  },
  {
    name: 'plain http to another machine, insecure denied',
    code: 'url-insecure',
    says: 'use https',
    at: '/registries/far/url',
    registries: 'far: { role: sandbox, location: eu, insecure: false, url: ▶"http://10.0.0.1:5000" }',
  },
  {
    name: 'plain http to what only looks like loopback',
    code: 'url-insecure',
    says: 'use https',
    at: '/registries/far/url',
    registries: 'far: { role: sandbox, location: eu, url: ▶"http://127.0.0.1.example" }',
  },
];

describe('registryAddress', () => {
  it.each(mistakes)('$name', ({ code, says, suggests, at, ...planted }) => {
    const { found, marks } = diagnose(topologyText(planted));

    const diagnostic = found.find((one) => one.code === code && placeOf(one) === marks[0]);
    expect({ found: found.map((one) => `${one.code} ${placeOf(one)} ${one.message}`), diagnostic }).toMatchObject({
      diagnostic: { message: expect.stringContaining(says), path: at, severity: 'error' },
    });
    expect(diagnostic?.suggestion).toBe(suggests);
  });

  it.each([
    ['http on loopback', 'url: "http://127.0.0.1:5003"'],
    ['http on loopback, version 6', 'url: "http://[::1]:5003"'],
    ['http on localhost', 'url: "http://localhost:5003"'],
    ['http that is wanted', 'url: "http://registry.example", insecure: true'],
    ['https', 'url: "https://registry.example"'],
  ])('accepts %s', (_name, address) => {
    expect(diagnose(topologyText({ registries: `far: { role: sandbox, location: eu, ${address} }` })).found).toEqual([]);
  });

  it.each([
    ['https', 'url: "https://registry.example", ▶insecure: true', 'https stays verified'],
    ['loopback', 'url: "http://localhost:5000", ▶insecure: true', 'http on loopback is allowed'],
  ])('warns that insecure changes nothing for %s', (_name, address, says) => {
    const { found, marks } = diagnose(topologyText({ registries: `far: { role: sandbox, location: eu, ${address} }` }));

    expect(found).toMatchObject([{ code: 'insecure-unneeded', severity: 'warning', message: expect.stringContaining(says) }]);
    expect(found.map(placeOf)).toEqual(marks);
  });
});
