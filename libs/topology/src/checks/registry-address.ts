import type { Draft, RegistryDraft } from '../draft.js';
import { type Finding, quoted } from '../finding.js';
import { parseRegistryUrl } from '../registry-url.js';

/** A registry has one address, and the address is safe to send credentials to. */
export function registryAddress(draft: Draft): Finding[] {
  return Object.entries(draft.registries).flatMap(([name, registry]) => {
    if (registry.local !== undefined) return localRegistry(name, registry);
    return registry.url === undefined ? [] : [...remoteRegistry(name, registry, registry.url), ...tokenRealms(name, registry)];
  });
}

const meaninglessWhenLocal = ['credentials', 'tokenRealms', 'insecure', 'tls', 'proxy', 'resolve'] as const;

function localRegistry(name: string, registry: RegistryDraft): Finding[] {
  const twice: Finding[] =
    registry.url === undefined
      ? []
      : [
          {
            code: 'address-twice',
            message: `registry ${quoted(name)} has both url and local: a local registry gets its address when it is started`,
            path: ['registries', name, 'url'],
            at: 'key',
          },
        ];
  const meaningless = meaninglessWhenLocal.filter((key) => registry[key] !== undefined);
  return [
    ...twice,
    ...meaningless.map((key): Finding => ({
      code: 'local-excludes',
      message: `${quoted(key)} means nothing for a local registry: it is open, on loopback, without TLS`,
      path: ['registries', name, key],
      at: 'key',
    })),
  ];
}

function remoteRegistry(name: string, { insecure }: RegistryDraft, url: string): Finding[] {
  const address = parseRegistryUrl(url);
  if (!address.ok) return [];
  if (!address.secure && !address.loopback && insecure !== true) {
    return [
      {
        code: 'url-insecure',
        message: `plain http leaves this machine unencrypted: use https, or say "insecure: true"`,
        path: ['registries', name, 'url'],
      },
    ];
  }
  if (insecure === true && (address.secure || address.loopback)) {
    const why = address.secure ? 'https stays verified' : 'http on loopback is allowed';
    return [
      {
        code: 'insecure-unneeded',
        severity: 'warning',
        message: `"insecure" has no effect here: ${why} without it`,
        path: ['registries', name, 'insecure'],
        at: 'key',
      },
    ];
  }
  return [];
}

/** Passwords go to token servers as well. */
function tokenRealms(name: string, { tokenRealms: realms = [], insecure }: RegistryDraft): Finding[] {
  return realms.flatMap((realm, index): Finding[] => {
    const url = realm === undefined || !URL.canParse(realm) ? undefined : parseRegistryUrl(new URL(realm).origin);
    if (url?.ok !== true || url.secure || url.loopback || insecure === true) return [];
    return [
      {
        code: 'url-insecure',
        message: `plain http leaves this machine unencrypted: use https, or say "insecure: true"`,
        path: ['registries', name, 'tokenRealms', index],
      },
    ];
  });
}
