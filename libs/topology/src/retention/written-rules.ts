import type { Draft, PolicyDraft, RegistryDraft, RuleDraft } from '../draft.js';
import type { DocumentPath } from '../finding.js';
import { own } from '../lookup.js';

/** A rule as it stands in the file, and what stands around it. */
export interface WrittenRule {
  readonly rule: RuleDraft;
  readonly policy: PolicyDraft;
  /** The registry of the policy, if there is one. */
  readonly registry: RegistryDraft | undefined;
  readonly path: DocumentPath;
}

/** Every rule of every policy, in the order of the file. */
export function writtenRules(draft: Draft): WrittenRule[] {
  return draft.retention.flatMap((policy, index) => {
    const registry = registryOf(policy, draft);
    return (policy.rules ?? []).flatMap((rule, position): WrittenRule[] =>
      rule === undefined ? [] : [{ rule, policy, registry, path: ['retention', index, 'rules', position] }],
    );
  });
}

/** The registry that a policy is for; undefined where the file does not declare it. */
export function registryOf({ registry }: PolicyDraft, { registries }: Draft): RegistryDraft | undefined {
  return registry === undefined ? undefined : own(registries, registry);
}

export function isRemoval({ action }: RuleDraft): boolean {
  return action !== undefined && action !== 'keep';
}
