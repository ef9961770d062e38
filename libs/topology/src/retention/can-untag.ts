import type { RegistryCapabilities } from '@waybill/oci-model';
import { own } from '../lookup.js';
import type { Topology } from '../model.js';

type Declared = { readonly [Key in 'tagDelete' | 'manifestDelete']?: RegistryCapabilities[Key] | undefined };

/** Is there a way to remove a tag: by itself, or together with a manifest made for it? What is unknown is tried. */
export function canUntag({ tagDelete, manifestDelete }: Declared): boolean {
  return tagDelete !== false || manifestDelete !== false;
}

/**
 * Rules that untag where the registry cannot, by the capabilities that the topology has by then: give it through
 * `withProbedCapabilities` to take what checks found into account.
 */
export function impossibleUntagRules({
  registries,
  retention,
}: Topology): readonly { readonly policy: string; readonly rule: string; readonly registry: string }[] {
  return retention.flatMap(({ name, registry, rules }) =>
    rules.flatMap((rule) =>
      rule.action !== 'untag' || canUntag(own(registries, registry)?.capabilities ?? {})
        ? []
        : [{ policy: name, rule: rule.name, registry }],
    ),
  );
}
