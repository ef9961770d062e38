import type { Draft, RuleDraft } from '../draft.js';
import { type Finding, listed, quoted } from '../finding.js';
import { type WrittenRule, writtenRules } from '../retention/written-rules.js';

/** The keys of a retention rule agree with each other. */
export function ruleContradictions(draft: Draft): Finding[] {
  return writtenRules(draft).flatMap((written) => [
    ...keysOfOtherActions(written),
    ...tagMatch(written),
    ...untagged(written),
    ...itself(written),
  ]);
}

const ofKeep = ['mostRecent', 'within'] as const;
const ofRemoval = ['olderThan', 'absentFrom'] as const;

function keysOfOtherActions({ rule, path }: WrittenRule): Finding[] {
  const { action } = rule;
  if (action === undefined) return [];
  const wrong = (action === 'keep' ? ofRemoval : ofKeep).filter((key) => rule[key] !== undefined);
  const found = wrong.map((key): Finding => {
    const says = action === 'keep' ? 'says what is removed' : 'says what is kept';
    return {
      code: 'rule-contradicts',
      message: `${quoted(key)} ${says}, and the rule's action is ${quoted(action)}`,
      path: [...path, key],
      at: 'key',
    };
  });
  if (action === 'archive' || rule.to === undefined) return found;
  const message = `"to" belongs to rules that archive, and the rule's action is ${quoted(action)}`;
  return [...found, { code: 'rule-contradicts', message, path: [...path, 'to'], at: 'key' }];
}

const waysToMatchTags = ['glob', 'regex', 'semver'] as const;

function tagMatch({ rule, path }: WrittenRule): Finding[] {
  const tags = rule.match?.tags;
  if (tags === undefined) return [];
  const written = waysToMatchTags.filter((way) => Object.hasOwn(tags, way));
  if (written.length === 1) return [];
  const message = `"tags" must be matched in exactly one way, not ${written.length}: by ${listed(waysToMatchTags).replace(' and ', ' or ')}`;
  return [{ code: 'rule-contradicts', message, path: [...path, 'match', 'tags'], at: 'key' }];
}

/** What no tag refers to has no tags to match, count or take away. */
function untagged({ rule, path }: WrittenRule): Finding[] {
  if (rule.match?.tagState !== 'untagged') return [];
  return needsOfTags(rule).map((key): Finding => ({
    code: 'rule-contradicts',
    message: `the rule is about untagged artifacts, and ${quoted(String(key.at(-1)))} is about tags`,
    path: [...path, ...key],
    at: 'key',
  }));
}

function needsOfTags({ action, match, mostRecent, within, olderThan }: RuleDraft): string[][] {
  return [
    ...(action === 'untag' ? [['action']] : []),
    ...(match?.tags === undefined ? [] : [['match', 'tags']]),
    ...(mostRecent?.by === 'semver' || mostRecent?.by === 'tagged' ? [['mostRecent', 'by']] : []),
    ...(mostRecent?.groupBy === undefined ? [] : [['mostRecent', 'groupBy']]),
    ...(within?.of === 'tagged' ? [['within', 'of']] : []),
    ...(olderThan?.of === 'tagged' ? [['olderThan', 'of']] : []),
  ];
}

function itself({ rule, policy: { registry }, path }: WrittenRule): Finding[] {
  if (registry === undefined || rule.absentFrom?.registry !== registry) return [];
  const message = `nothing in ${quoted(registry)} is absent from ${quoted(registry)} itself`;
  return [{ code: 'rule-contradicts', message, path: [...path, 'absentFrom', 'registry'] }];
}
