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
    name: 'the same origin twice',
    code: 'registries-overlap',
    says: '"one" and "two" share repositories: both are all of the same origin',
    at: '/registries/two',
    registries:
      'one: { role: sandbox, location: eu, url: "https://a.example" }\n▶two: { role: sandbox, location: eu, url: "https://a.example" }',
  },
  {
    name: 'the same origin in other spellings',
    code: 'registries-overlap',
    says: 'share repositories',
    at: '/registries/two',
    registries:
      'one: { role: sandbox, location: eu, url: "https://A.example:443/" }\n▶two: { role: sandbox, location: eu, url: "https://a.EXAMPLE" }',
  },
  {
    name: 'a host with a trailing dot',
    code: 'registries-overlap',
    says: 'share repositories',
    at: '/registries/two',
    registries:
      'one: { role: sandbox, location: eu, url: "https://a.example." }\n▶two: { role: sandbox, location: eu, url: "https://a.example" }',
  },
  {
    name: 'http and https on one port',
    code: 'registries-overlap',
    says: 'share repositories',
    at: '/registries/two',
    registries:
      'one: { role: sandbox, location: eu, url: "https://a.example:5000" }\n▶two: { role: sandbox, location: eu, url: "http://a.example:5000", insecure: true }',
  },
  {
    name: 'two names of loopback',
    code: 'registries-overlap',
    says: 'share repositories',
    at: '/registries/two',
    registries:
      'one: { role: sandbox, location: eu, url: "http://localhost:5000" }\n▶two: { role: sandbox, location: eu, url: "http://127.0.0.1:5000" }',
  },
  {
    name: 'the same prefix',
    code: 'registries-overlap',
    says: 'both are "acme" at the same origin',
    at: '/registries/two',
    registries:
      'one: { role: sandbox, location: eu, url: "https://a.example", prefix: acme }\n▶two: { role: sandbox, location: eu, url: "https://a.example", prefix: acme }',
  },
  {
    name: 'a prefix below another',
    code: 'registries-overlap',
    says: '"acme/team" lies below "acme"',
    at: '/registries/two',
    registries:
      'one: { role: sandbox, location: eu, url: "https://a.example", prefix: acme/team }\n▶two: { role: sandbox, location: eu, url: "https://a.example", prefix: acme }',
  },
  {
    name: 'a prefix and the whole origin',
    code: 'registries-overlap',
    says: 'one is all of the origin that the other has "acme" of',
    at: '/registries/two',
    registries:
      'one: { role: sandbox, location: eu, url: "https://a.example", prefix: acme }\n▶two: { role: sandbox, location: eu, url: "https://a.example" }',
  },
  {
    name: 'a local port twice',
    code: 'local-port-taken',
    says: 'port 5000 is already taken by registry "one"',
    at: '/registries/two/local/port',
    registries: 'one: { role: sandbox, location: eu, local: { port: 5000 } }\ntwo: { role: sandbox, location: eu, local: { port: ▶5000 } }',
  },
];

describe('overlappingRegistries', () => {
  it.each(mistakes)('$name', ({ code, says, suggests, at, ...planted }) => {
    const { found, marks } = diagnose(topologyText(planted));

    const diagnostic = found.find((one) => one.code === code && placeOf(one) === marks[0]);
    expect({ found: found.map((one) => `${one.code} ${placeOf(one)} ${one.message}`), diagnostic }).toMatchObject({
      diagnostic: { message: expect.stringContaining(says), path: at, severity: 'error' },
    });
    expect(diagnostic?.suggestion).toBe(suggests);
  });

  it.each([
    ['different hosts', 'url: "https://a.example"', 'url: "https://b.example"'],
    ['different ports', 'url: "https://a.example"', 'url: "https://a.example:8443"'],
    ['prefixes that only begin alike', 'url: "https://a.example", prefix: acme', 'url: "https://a.example", prefix: acmecorp'],
    ['neighbouring prefixes', 'url: "https://a.example", prefix: acme/one', 'url: "https://a.example", prefix: acme/two'],
    ['local registries without ports', 'local: true', 'local: true'],
  ])('keeps %s apart', (_name, one, two) => {
    const registries = `one: { role: sandbox, location: eu, ${one} }\ntwo: { role: sandbox, location: eu, ${two} }`;

    expect(diagnose(topologyText({ registries })).found).toEqual([]);
  });
});
