import type { Draft } from '../draft.js';
import { type Finding, quoted } from '../finding.js';
import { own } from '../lookup.js';
import { isRemoval } from '../retention/written-rules.js';

/** Whatever Waybill writes to is local, or knows us by write credentials or a certificate. */
export function missingCredentials(draft: Draft): Finding[] {
  const targets = Object.values(draft.paths).flatMap(({ to = [] }) => to);
  const replicas = Object.entries(draft.registries).flatMap(([name, { role }]) => (role === 'replica' ? [name] : []));
  const written = new Set([...targets, ...replicas, ...enforced(draft)]);
  return [...written].flatMap((name): Finding[] => {
    const registry = name === undefined ? undefined : own(draft.registries, name);
    if (name === undefined || registry === undefined || isNeverWritten(registry.role) || Object.hasOwn(registry, 'local')) return [];
    const { credentials } = registry;
    const isGiven = Object.hasOwn(registry, 'credentials') && (credentials === undefined || Object.hasOwn(credentials, 'write'));
    const showsCertificate = registry.tls !== undefined && Object.hasOwn(registry.tls, 'cert');
    if (isGiven || showsCertificate) return [];
    const message = `registry ${quoted(name)} is written to and has no credentials: add "write: { secret: … }"`;
    const path = credentials === undefined ? ['registries', name] : ['registries', name, 'credentials'];
    return [{ code: 'credentials-missing', message, path, at: 'key' }];
  });
}

/** Where retention acts, and the archives that it brings artifacts to. */
function enforced(draft: Draft): (string | undefined)[] {
  return draft.retention.flatMap(({ mode, registry, rules = [], untagged }) => {
    const removes = untagged !== undefined || rules.some((rule) => rule !== undefined && isRemoval(rule));
    return mode === 'enforce' && removes ? [registry, ...rules.map((rule) => rule?.to)] : [];
  });
}

/** That it is a target is the mistake then, and said elsewhere. */
function isNeverWritten(role: string | undefined): boolean {
  return role === 'upstream' || role === 'cache';
}
