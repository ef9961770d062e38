import type { Draft, RegistryDraft } from '../draft.js';
import { type Finding, quoted } from '../finding.js';
import { hasUsualRetention } from '../retention/role-policies.js';
import { registryOf, writtenRules } from '../retention/written-rules.js';
import { type Role, roleMatrix } from '../roles.js';

/** Retention deletes only where the role matrix lets it. */
export function retentionRoles(draft: Draft): Finding[] {
  return [
    ...Object.entries(draft.registries).flatMap(([name, registry]) => ofRegistry(name, registry)),
    ...draft.retention.flatMap((policy, index): Finding[] => {
      const role = registryOf(policy, draft)?.role;
      if (policy.registry === undefined || role === undefined || isDeletedFrom(role)) return [];
      return [{ code: 'retention-role', message: whyNever(policy.registry, role), path: ['retention', index, 'registry'] }];
    }),
    ...archivedSandboxes(draft),
  ];
}

function ofRegistry(name: string, { role, retention, wipe }: RegistryDraft): Finding[] {
  if (role === undefined) return [];
  const found: Finding[] = [];
  if (retention !== undefined && !hasUsualRetention(role)) {
    const message = isDeletedFrom(role)
      ? `there is no usual retention of role ${quoted(role)}: ${quoted(name)} deletes only by rules that are written out`
      : whyNever(name, role);
    found.push({ code: 'retention-role', message, path: ['registries', name, 'retention'], at: 'key' });
  }
  if (wipe !== undefined && role !== 'sandbox') {
    const message = `only a sandbox is wiped; ${quoted(name)} has the role ${quoted(role)}`;
    found.push({ code: 'retention-role', message, path: ['registries', name, 'wipe'], at: 'key' });
  }
  return found;
}

function archivedSandboxes(draft: Draft): Finding[] {
  return writtenRules(draft).flatMap(({ rule, policy, registry, path }): Finding[] => {
    if (rule.action !== 'archive' || registry?.role !== 'sandbox') return [];
    const message = `nothing leaves a sandbox, so nothing of ${quoted(policy.registry ?? '')} is archived`;
    return [{ code: 'retention-role', message, path: [...path, 'action'] }];
  });
}

function isDeletedFrom(role: Role): boolean {
  const { deletion } = roleMatrix[role];
  return deletion !== 'never' && deletion !== 'its-own';
}

function whyNever(name: string, role: Role): string {
  return `Waybill deletes nothing from ${quoted(name)}: it has the role ${quoted(role)}`;
}
