import { canonicalJson } from '../canonical-topology.js';
import type { Draft, PolicyDraft, RuleDraft } from '../draft.js';
import { type DocumentPath, type Finding, quoted } from '../finding.js';
import { isRemoval } from '../retention/written-rules.js';

/** Says which removals can never remove anything, because another rule of the policy keeps all that they match, whatever its age. */
export function idleRules(draft: Draft): Finding[] {
  return draft.retention.flatMap((policy, index) => ofPolicy(policy, ['retention', index, 'rules']));
}

function ofPolicy({ rules = [] }: PolicyDraft, path: DocumentPath): Finding[] {
  const kept = rules.flatMap((rule) => (rule?.action === 'keep' && isUnconditional(rule) ? [rule] : []));
  return rules.flatMap((rule, index): Finding[] => {
    if (rule === undefined || !isRemoval(rule)) return [];
    const stronger = kept.find((keep) => isWithin(rule, keep));
    if (stronger === undefined) return [];
    const message = `the rule can never act: all that it matches is kept by rule ${quoted(stronger.name ?? '')}`;
    return [{ code: 'rule-idle', severity: 'warning', message, path: [...path, index] }];
  });
}

function isUnconditional(rule: RuleDraft): boolean {
  return !Object.hasOwn(rule, 'mostRecent') && !Object.hasOwn(rule, 'within');
}

/** Every condition of the one is a condition of the other too. A condition that could not be read leaves it open. */
function isWithin(removal: RuleDraft, keep: RuleDraft): boolean {
  const wanted = Object.entries(conditionsOf(removal));
  return Object.entries(conditionsOf(keep)).every(
    ([key, value]) => value !== undefined && wanted.some(([other, same]) => other === key && canonicalJson(same) === canonicalJson(value)),
  );
}

function conditionsOf({ match = {} }: RuleDraft): Readonly<Record<string, unknown>> {
  const { tagState, ...conditions } = match;
  return tagState === 'any' ? conditions : match;
}
