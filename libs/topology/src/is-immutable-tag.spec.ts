import { describe, expect, it } from '@jest/globals';
import { isImmutableTag } from './is-immutable-tag.js';
import { topologyWith } from './questions.spec-helper.js';

const topology = topologyWith({
  registries: [
    'shop: { role: prod, location: eu, local: true, immutableTags: ["v*", "[0-9]*"] }',
    'shop-us: { role: replica, of: shop, location: us, local: true }',
    'strict: { role: ci-snapshots, location: eu, local: true, immutableTags: all }',
  ].join('\n'),
  replications: '- { from: shop, to: [shop-us], repositories: ["**"] }',
});

describe('isImmutableTag', () => {
  it.each([
    ['box', 'v1.0.0', false],
    ['snapshots', 'v1.0.0', false],
    ['hub', 'v1.0.0', false],
    ['mirror', 'v1.0.0', false],
    ['prod', 'latest', true],
    ['prod-us', 'latest', true],
    ['archive', 'latest', true],
    ['strict', 'latest', true],
    ['stage', 'latest', false],
    ['stage', '1.2.3', true],
    ['stage', 'v1.2.3', true],
    ['stage', '1.2.3-rc.1', true],
    ['stage', '0.1.0-001122334455', true],
    ['stage', '1.2', false],
    ['stage', 'v1.2.3.4', false],
    ['shop', 'v1', true],
    ['shop', '2026', true],
    ['shop', 'latest', false],
    ['shop-us', 'v1', true],
    ['shop-us', 'latest', false],
  ])('%s, %s: %s', (registry, tag, expected) => {
    expect(isImmutableTag(topology, registry, tag)).toBe(expected);
  });

  it('never protects reserved tags', () => {
    expect(isImmutableTag(topology, 'prod', `sha256-${'0'.repeat(64)}`)).toBe(false);
  });

  it('knows no other registries, and says which are near', () => {
    expect(() => isImmutableTag(topology, 'pord', 'v1')).toThrow(
      expect.objectContaining({ code: 'registry-unknown', details: { near: ['prod'] } }),
    );
  });
});
