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
    name: 'a replica with tags of its own',
    code: 'immutable-tags-not-ours',
    says: 'a replica takes its immutable tags from its prod',
    at: '/registries/copy/immutableTags',
    registries: 'copy: { role: replica, of: prod, location: us, local: true, ▶immutableTags: all }',
  },
  {
    name: 'an upstream',
    code: 'immutable-tags-not-ours',
    says: 'Waybill writes no tags to a registry of role "upstream"',
    at: '/registries/far/immutableTags',
    registries: 'far: { role: upstream, url: "https://quay.io", ▶immutableTags: all }',
  },
  {
    name: 'a cache',
    code: 'immutable-tags-not-ours',
    says: 'role "cache"',
    at: '/registries/far/immutableTags',
    registries: 'far: { role: cache, location: eu, local: true, ▶immutableTags: ["v*"] }',
  },
  {
    name: 'a prod without protection',
    code: 'immutable-tags-loosened',
    says: 'a registry of role "prod" cannot have no immutable tags at all',
    at: '/registries/far/immutableTags',
    registries: 'far: { role: prod, location: eu, local: true, immutableTags: ▶none }',
  },
  {
    name: 'an archive without protection',
    code: 'immutable-tags-loosened',
    says: 'role "archive"',
    at: '/registries/far/immutableTags',
    registries: 'far: { role: archive, location: eu, local: true, immutableTags: ▶none }',
  },
  {
    name: 'a staging without protection',
    code: 'immutable-tags-loosened',
    says: 'role "staging"',
    at: '/registries/far/immutableTags',
    registries: 'far: { role: staging, location: eu, local: true, immutableTags: ▶none }',
  },
];

describe('immutableTags', () => {
  it.each(mistakes)('$name', ({ code, says, suggests, at, ...planted }) => {
    const { found, marks } = diagnose(topologyText(planted));

    const diagnostic = found.find((one) => one.code === code && placeOf(one) === marks[0]);
    expect({ found: found.map((one) => `${one.code} ${placeOf(one)} ${one.message}`), diagnostic }).toMatchObject({
      diagnostic: { message: expect.stringContaining(says), path: at, severity: 'error' },
    });
    expect(diagnostic?.suggestion).toBe(suggests);
  });

  it.each([
    ['prod', '["v*", "[0-9]*"]'],
    ['prod', 'semver'],
    ['staging', 'all'],
    ['sandbox', 'none'],
    ['ci-snapshots', 'all'],
    ['ci-tests', '["pr-*"]'],
  ])('lets a %s say %s', (role, written) => {
    const registries = `far: { role: ${role}, location: eu, local: true, immutableTags: ${written} }`;

    expect(diagnose(topologyText({ registries })).found).toEqual([]);
  });
});
