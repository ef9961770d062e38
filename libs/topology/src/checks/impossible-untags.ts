import type { Draft } from '../draft.js';
import { type Finding, quoted } from '../finding.js';
import { canUntag } from '../retention/can-untag.js';
import { writtenRules } from '../retention/written-rules.js';

/** A rule untags only where the registry's declared capabilities leave a way to; what a check finds is looked at when it is known. */
export function impossibleUntags(draft: Draft): Finding[] {
  return writtenRules(draft).flatMap(({ rule, policy, registry, path }): Finding[] => {
    if (rule.action !== 'untag' || registry?.capabilities === undefined || canUntag(registry.capabilities)) return [];
    const message = `registry ${quoted(policy.registry ?? '')} can neither remove a tag nor delete a manifest, so it cannot untag`;
    return [{ code: 'untag-impossible', message, path: [...path, 'action'] }];
  });
}
