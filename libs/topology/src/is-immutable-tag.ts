import { isReservedTag } from '@waybill/oci-model';
import { matchesGlob } from './glob.js';
import { registryNamed } from './lookup.js';
import type { ImmutableTags, Topology } from './model.js';

// Wider than semver 2.0.0 on purpose: "v" may lead, and leading zeros and an empty patch's absence
// of rules do not let a release tag slip through. "+" cannot occur in a tag.
const semanticVersion = /^v?\d+\.\d+\.\d+(?:[-_][0-9A-Za-z._-]+)?$/;

/**
 * May the tag, once written to the registry, never be moved? A replica answers as its prod;
 * reserved tags are never immutable, because referrers lists grow.
 * @throws TopologyError `registry-unknown`
 */
export function isImmutableTag(topology: Topology, registryName: string, tag: string): boolean {
  const registry = registryNamed(topology, registryName);
  return !isReservedTag(tag) && protects(registry.immutableTags, tag);
}

function protects(rule: ImmutableTags, tag: string): boolean {
  switch (rule.kind) {
    case 'none':
      return false;
    case 'all':
      return true;
    case 'semver':
      return semanticVersion.test(tag);
    case 'patterns':
      return matchesGlob(rule.patterns, tag, 'tag');
  }
}
