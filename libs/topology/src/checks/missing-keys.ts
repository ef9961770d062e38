import type { Draft, RegistryDraft } from '../draft.js';
import { type Finding, quoted } from '../finding.js';

/** Keys that a registry needs because of another: an address, and a location unless it is somebody else's. */
export function missingKeys(draft: Draft): Finding[] {
  return Object.entries(draft.registries).flatMap(([name, registry]) => {
    const found: Finding[] = [];
    const path = ['registries', name];
    if (Object.keys(registry).length === 0) return found; // the whole entry is missing, which is said
    if (!isWritten(registry, 'url') && !isWritten(registry, 'local')) {
      found.push({ code: 'address-missing', message: `registry ${quoted(name)} has neither url nor local`, path, at: 'key' });
    }
    if (registry.role !== undefined && registry.role !== 'upstream' && !isWritten(registry, 'location')) {
      found.push({ code: 'location-missing', message: `registry ${quoted(name)} has no location`, path, at: 'key' });
    }
    return found;
  });
}

/** Also when its value was blanked, so that a wrong value is not called a missing one. */
function isWritten(registry: RegistryDraft, key: keyof RegistryDraft): boolean {
  return Object.hasOwn(registry, key);
}
