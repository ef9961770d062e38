import type { Draft, RegistryDraft } from '../draft.js';
import { type Finding, quoted } from '../finding.js';
import { own } from '../lookup.js';

/** A replica repeats a prod registry, and nothing else repeats anything. */
export function replicas(draft: Draft): Finding[] {
  return Object.entries(draft.registries).flatMap(([name, registry]) =>
    registry.role === 'replica' ? ofReplica(name, registry, draft) : ofOther(name, registry),
  );
}

function ofReplica(name: string, registry: RegistryDraft, draft: Draft): Finding[] {
  if (!Object.hasOwn(registry, 'of')) {
    const message = `replica ${quoted(name)} does not say of which prod registry: add "of"`;
    return [{ code: 'replica-of-nothing', message, path: ['registries', name], at: 'key' }];
  }
  const role = registry.of === undefined ? undefined : own(draft.registries, registry.of)?.role;
  if (role === undefined || role === 'prod') return [];
  const message = `a replica repeats a prod registry; ${quoted(registry.of ?? '')} has the role ${quoted(role)}`;
  return [{ code: 'replica-of-wrong-role', message, path: ['registries', name, 'of'] }];
}

function ofOther(name: string, { role, of }: RegistryDraft): Finding[] {
  if (role === undefined || of === undefined) return [];
  const message = `"of" belongs to replicas; ${quoted(name)} has the role ${quoted(role)}`;
  return [{ code: 'of-on-non-replica', message, path: ['registries', name, 'of'], at: 'key' }];
}
