import { isReservedTag } from '@waybill/oci-model';
import { matchesGlob } from './glob.js';
import { registryNamed } from './lookup.js';
import type { ImmutableTags, Topology } from './model.js';

// Wider than Semantic Versioning 2.0.0 on purpose, because a release tag that is not recognised
// would not be protected: "v" may lead, zeros may lead, "_" may stand for the "+" that tags cannot have.
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
