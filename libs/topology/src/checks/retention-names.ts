import type { Draft, PolicyDraft } from '../draft.js';
import { type DocumentPath, type Finding, quoted } from '../finding.js';

/** A policy is asked for, approved and remembered by its name, and a rule of it too. */
export function retentionNames(draft: Draft): Finding[] {
  const taken = new Map(generatedNames(draft));
  const ofPolicies = draft.retention.flatMap(({ name }, index): Finding[] => {
    if (name === undefined) return [];
    const owner = taken.get(name);
    taken.set(name, owner ?? 'another policy');
    if (owner === undefined) return [];
    return [
      { code: 'retention-duplicate', message: `policy name ${quoted(name)} is taken by ${owner}`, path: ['retention', index, 'name'] },
    ];
  });
  return [...ofPolicies, ...draft.retention.flatMap((policy, index) => ruleNames(policy, ['retention', index]))];
}

/** Of the policies that registries ask for. */
function generatedNames({ registries }: Draft): [string, string][] {
  return Object.entries(registries).flatMap(([name, { retention, wipe }]): [string, string][] => [
    ...(retention === undefined ? [] : [[`${name}-default`, `"retention" of registry ${quoted(name)}`] as [string, string]]),
    ...(wipe === undefined ? [] : [[`${name}-wipe`, `"wipe" of registry ${quoted(name)}`] as [string, string]]),
  ]);
}

function ruleNames({ rules = [] }: PolicyDraft, path: DocumentPath): Finding[] {
  const seen = new Set<string>();
  return rules.flatMap((rule, index): Finding[] => {
    const name = rule?.name;
    if (name === undefined) return [];
    const isTaken = seen.has(name);
    seen.add(name);
    if (!isTaken) return [];
    const message = `rule name ${quoted(name)} is taken by another rule of the policy`;
    return [{ code: 'retention-duplicate', message, path: [...path, 'rules', index, 'name'] }];
  });
}
