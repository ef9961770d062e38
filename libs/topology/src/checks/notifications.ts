import type { Draft, RegistryDraft } from '../draft.js';
import { type Finding, quoted } from '../finding.js';
import { isInventoried } from '../notifications/notifications-of.js';

/** Who tells what happens in a registry must be known to be that registry, and what it tells must be of use. */
export function notifications(draft: Draft): Finding[] {
  return Object.entries(draft.registries).flatMap(([name, registry]) => {
    const { role, notifications: written } = registry;
    const path = ['registries', name, 'notifications'];
    if (written === undefined) return [];
    if (role !== undefined && !isInventoried(role)) {
      const message = `nobody looks after what ${quoted(name)} holds: it has the role ${quoted(role)}`;
      return [{ code: 'notifications-role', message, path, at: 'key' }];
    }
    return ofSecret(name, registry, path);
  });
}

function ofSecret(name: string, { local, notifications: written }: RegistryDraft, path: readonly string[]): Finding[] {
  const isGiven = written !== undefined && Object.hasOwn(written, 'secret');
  if (local === undefined && !isGiven) {
    const message = `registry ${quoted(name)} shows no "secret", so nobody could tell who speaks: name one`;
    return [{ code: 'notifications-secret', message, path: [...path], at: 'key' }];
  }
  if (local === undefined || !isGiven) return [];
  const message = `"secret" means nothing for a local registry: it is given one when it is started`;
  return [{ code: 'local-excludes', message, path: [...path, 'secret'], at: 'key' }];
}
