import { effectiveCapabilities, type RegistryCapabilities } from '@waybill/oci-model';
import type { Draft } from '../draft.js';
import { type Finding, quoted } from '../finding.js';
import { writtenRules } from '../retention/written-rules.js';

/** What checks found of registries, by name; what the file declares wins over it. */
export type ProbedCapabilities = ReadonlyMap<string, Partial<RegistryCapabilities>>;

/** A rule untags only where there is a way to: the registry removes a tag by itself, or together with a manifest made for it. */
export function impossibleUntags(draft: Draft, probed: ProbedCapabilities): Finding[] {
  return writtenRules(draft).flatMap(({ rule, policy, registry, path }): Finding[] => {
    const name = policy.registry;
    if (rule.action !== 'untag' || name === undefined || registry === undefined) return [];
    const { tagDelete, manifestDelete } = effectiveCapabilities(registry.capabilities, probed.get(name));
    if (tagDelete !== false || manifestDelete !== false) return [];
    const message = `registry ${quoted(name)} can neither remove a tag nor delete a manifest, so it cannot untag`;
    return [{ code: 'untag-impossible', message, path: [...path, 'action'] }];
  });
}
