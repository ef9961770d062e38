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
    name: 'a path from an unknown registry',
    code: 'registry-unknown',
    says: 'unknown registry "snapshot"',
    suggests: 'snapshots',
    at: '/paths/p/from',
    paths: 'p: { from: ▶snapshot, to: [prod], repositories: ["**"], tags: ".*" }',
  },
  {
    name: 'a path to an unknown registry',
    code: 'registry-unknown',
    says: 'unknown registry "pord"',
    suggests: 'prod',
    at: '/paths/p/to/1',
    paths: 'p: { from: snapshots, to: [prod, ▶pord], repositories: ["a"], tags: ".*" }',
  },
  {
    name: 'a word that is near nothing',
    code: 'registry-unknown',
    says: 'unknown registry "elsewhere"',
    at: '/paths/p/from',
    paths: 'p: { from: ▶elsewhere, to: [prod], repositories: ["**"], tags: ".*" }',
  },
  {
    name: 'what every object inherits',
    code: 'registry-unknown',
    says: 'unknown registry "constructor"',
    at: '/paths/p/from',
    paths: 'p: { from: ▶constructor, to: [prod], repositories: ["**"], tags: ".*" }',
  },
  {
    name: 'a replica of an unknown registry',
    code: 'registry-unknown',
    says: 'unknown registry "production"',
    suggests: 'prod',
    at: '/registries/copy/of',
    registries: 'copy: { role: replica, of: ▶production, location: us, local: true }',
  },
  {
    name: 'a replication from an unknown registry',
    code: 'registry-unknown',
    says: 'unknown registry "prd"',
    suggests: 'prod',
    at: '/replications/1/from',
    replications: '- { from: ▶prd, to: [prod-us], repositories: ["**"] }',
  },
  {
    name: 'a replication to an unknown registry',
    code: 'registry-unknown',
    says: 'unknown registry "prod-ap"',
    suggests: 'prod-us',
    at: '/replications/1/to/0',
    replications: '- { from: prod, to: [▶prod-ap], repositories: ["**"] }',
  },
  {
    name: 'an unknown location',
    code: 'location-unknown',
    says: 'unknown location "antarctica"',
    at: '/registries/far/location',
    registries: 'far: { role: sandbox, location: ▶antarctica, local: true }',
  },
  {
    name: 'a mistyped location',
    code: 'location-unknown',
    says: 'unknown location "uss"',
    suggests: 'us',
    at: '/registries/far/location',
    registries: 'far: { role: sandbox, location: ▶uss, local: true }',
  },
  {
    name: 'egress to an unknown location',
    code: 'location-unknown',
    says: 'unknown location "mars"',
    at: '/locations/ap/egress/mars',
    locations: 'ap: { egress: { us: 1, ▶mars: 1 } }',
  },
];

describe('unknownNames', () => {
  it.each(mistakes)('$name', ({ code, says, suggests, at, ...planted }) => {
    const { found, marks } = diagnose(topologyText(planted));

    const diagnostic = found.find((one) => one.code === code && placeOf(one) === marks[0]);
    expect({ found: found.map((one) => `${one.code} ${placeOf(one)} ${one.message}`), diagnostic }).toMatchObject({
      diagnostic: { message: expect.stringContaining(says), path: at, severity: 'error' },
    });
    expect(diagnostic?.suggestion).toBe(suggests);
  });

  it('looks for near names only as long as a reader could mean them', () => {
    const many = Array.from({ length: 150 }, (_item, index) => `r${index}: { role: sandbox, location: uss, local: true }`);

    const { found } = diagnose(topologyText({ registries: many.join('\n') }));

    expect(found.filter(({ code }) => code === 'location-unknown')).toHaveLength(150);
    expect(found.filter(({ suggestion }) => suggestion === 'us')).toHaveLength(100);
  });
});
