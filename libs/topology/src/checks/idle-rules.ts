import { canonicalJson } from '../canonical-topology.js';
import type { Draft, PolicyDraft, RuleDraft } from '../draft.js';
import { type DocumentPath, type Finding, quoted } from '../finding.js';
import { isRemoval } from '../retention/written-rules.js';

/** Says which removals can never remove anything, because another rule of the policy keeps all that they match, whatever its age. */
export function idleRules(draft: Draft): Finding[] {
  return draft.retention.flatMap((policy, index) => ofPolicy(policy, ['retention', index, 'rules']));
}

function ofPolicy({ rules = [] }: PolicyDraft, path: DocumentPath): Finding[] {
  const kept = rules.flatMap((rule) => (rule !== undefined && isUnconditionalKeep(rule) ? [{ rule, conditions: conditionsOf(rule) }] : []));
  return rules.flatMap((rule, index): Finding[] => {
    if (rule === undefined || !isRemoval(rule)) return [];
    const removed = conditionsOf(rule);
    const stronger = kept.find(({ conditions }) => isWithin(removed, conditions));
    if (stronger === undefined) return [];
    const message = `the rule can never act: all that it matches is kept by rule ${quoted(stronger.rule.name ?? '')}`;
    return [{ code: 'rule-idle', severity: 'warning', message, path: [...path, index] }];
  });
}

/** One whose match could not be read leaves open what it keeps. */
function isUnconditionalKeep(rule: RuleDraft): boolean {
  const isRead = rule.match !== undefined || !Object.hasOwn(rule, 'match');
  return rule.action === 'keep' && isRead && !Object.hasOwn(rule, 'mostRecent') && !Object.hasOwn(rule, 'within');
}

type Conditions = ReadonlyMap<string, string | undefined>;

/** Every condition of the one is a condition of the other too. */
function isWithin(removed: Conditions, kept: Conditions): boolean {
  return [...kept].every(([key, value]) => value !== undefined && removed.get(key) === value);
}

/** Each as one text; undefined where it could not be read. */
function conditionsOf({ match = {} }: RuleDraft): Conditions {
  const written = Object.entries<unknown>(match).filter(([key, value]) => key !== 'tagState' || value !== 'any');
  return new Map(written.map(([key, value]) => [key, value === undefined ? undefined : canonicalJson(value)]));
}
