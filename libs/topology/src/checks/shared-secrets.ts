import type { Draft } from '../draft.js';
import { type Finding, quoted } from '../finding.js';
import { parseRegistryUrl } from '../registry-url.js';

interface Use {
  readonly secret: string;
  readonly registry: string;
  readonly access: 'read' | 'write';
  readonly origin: string;
}

/**
 * A secret belongs to one origin. Otherwise a new registry in the file, at an address of its
 * author's, would be sent the password of another.
 */
export function sharedSecrets(draft: Draft): Finding[] {
  const owners = new Map<string, Use>();
  return uses(draft).flatMap((use): Finding[] => {
    const owner = owners.get(use.secret) ?? use;
    owners.set(use.secret, owner);
    if (owner.origin === use.origin) return [];
    return [
      {
        code: 'secret-shared',
        message: `secret ${quoted(use.secret)} belongs to registry ${quoted(owner.registry)}, which stands at another origin: give registry ${quoted(use.registry)} one of its own`,
        path: ['registries', use.registry, 'credentials', use.access, 'secret'],
      },
    ];
  });
}

function uses({ registries }: Draft): Use[] {
  return Object.entries(registries).flatMap(([registry, { url, credentials }]) => {
    const address = url === undefined ? undefined : parseRegistryUrl(url);
    if (!address?.ok) return [];
    return (['read', 'write'] as const).flatMap((access) => {
      const secret = credentials?.[access]?.secret;
      return secret === undefined ? [] : [{ secret, registry, access, origin: address.hostAndPort }];
    });
  });
}
