import type { Draft } from '../draft.js';
import { type Finding, quoted } from '../finding.js';
import { roleMatrix } from '../roles.js';

/**
 * `immutableTags` replaces the role's default by exactly what it says. It may name fewer tags than
 * the default (a prod with a moving `latest`), but not give the protection up altogether,
 * and it is not for a registry whose tags follow another's or are not ours to write.
 */
export function immutableTags(draft: Draft): Finding[] {
  return Object.entries(draft.registries).flatMap(([name, { role, immutableTags: written }]): Finding[] => {
    if (role === undefined || written === undefined) return [];
    const path = ['registries', name, 'immutableTags'];
    const usual = roleMatrix[role].immutableTags;
    if (usual === 'as-its-prod') {
      return [{ code: 'immutable-tags-not-ours', message: 'a replica takes its immutable tags from its prod', path, at: 'key' }];
    }
    if (usual === 'never-written') {
      return [
        { code: 'immutable-tags-not-ours', message: `Waybill writes no tags to a registry of role ${quoted(role)}`, path, at: 'key' },
      ];
    }
    if (written === 'none' && usual !== 'none') {
      const message = `a registry of role ${quoted(role)} cannot have no immutable tags at all: name the ones that are, e.g. ["v*"]`;
      return [{ code: 'immutable-tags-loosened', message, path }];
    }
    return [];
  });
}
