import type { Draft } from '../draft.js';
import { type Finding, quoted } from '../finding.js';
import { isRemoval, registryOf, type WrittenRule, writtenRules } from '../retention/written-rules.js';

/**
 * A replica holds at least its selection, so it deletes only what its prod has not had for a while.
 * Age, count and tags of a replica decide nothing: what prod keeps without a tag is pulled from the replica by digest.
 */
export function replicaRetention(draft: Draft): Finding[] {
  const untagged = draft.retention.flatMap((policy, index): Finding[] => {
    if (registryOf(policy, draft)?.role !== 'replica' || policy.untagged === undefined) return [];
    const message = 'a replica holds at least its selection, tagged or not: say "absentFrom" in a rule instead of "untagged"';
    return [{ code: 'retention-role', message, path: ['retention', index, 'untagged'], at: 'key' }];
  });
  return [...untagged, ...writtenRules(draft).flatMap(ofRule)];
}

function ofRule({ rule, registry, path }: WrittenRule): Finding[] {
  const { action, absentFrom, criteria } = rule;
  if (registry?.role !== 'replica' || action === undefined || !isRemoval(rule)) return [];
  if (action !== 'delete') {
    const message = `a replica is as its prod: it can delete what that has given up, not ${action}`;
    return [{ code: 'retention-role', message, path: [...path, 'action'] }];
  }
  if (!Object.hasOwn(rule, 'absentFrom')) {
    const message = 'a replica holds at least its selection: it deletes only what is "absentFrom" its prod';
    return [{ code: 'retention-role', message, path: [...path, 'action'] }];
  }
  if (criteria === 'any') {
    const message = 'a replica holds at least its selection: to be absent from its prod is needed, so the criteria are "all"';
    return [{ code: 'retention-role', message, path: [...path, 'criteria'] }];
  }
  const seen = absentFrom?.registry;
  if (seen === undefined || registry.of === undefined || seen === registry.of) return [];
  const message = `a replica is as its prod: what counts is ${quoted(registry.of)}, not ${quoted(seen)}`;
  return [{ code: 'retention-role', message, path: [...path, 'absentFrom', 'registry'], suggestion: registry.of }];
}
