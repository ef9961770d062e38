import type { Draft, RegistryDraft } from '../draft.js';
import { type DocumentPath, type Finding, quoted } from '../finding.js';
import { parseRegistryUrl } from '../registry-url.js';

interface Use {
  readonly secret: string;
  readonly registry: string;
  readonly kind: 'registry' | 'proxy' | 'docker-config' | 'notifications';
  /** The one server that the secret is for. A Docker configuration has an entry for each. */
  readonly server: string;
  readonly path: DocumentPath;
}

/**
 * A secret belongs to one server. Otherwise a new registry in the file, at an address of its
 * author's, would be sent the password of another. Certificates of authorities are no secrets.
 */
export function sharedSecrets(draft: Draft): Finding[] {
  const owners = new Map<string, Use>();
  const uses = Object.entries(draft.registries).flatMap(([name, registry]) => usesOf(name, registry));
  return uses.flatMap((use): Finding[] => {
    const owner = owners.get(use.secret) ?? use;
    owners.set(use.secret, owner);
    if (owner.server === use.server && owner.kind === use.kind) return [];
    const message = `secret ${quoted(use.secret)} ${ownership(owner, use)}: give ${own(use)} one of its own`;
    return [{ code: 'secret-shared', message, path: ['registries', use.registry, ...use.path] }];
  });
}

function ownership(owner: Use, use: Use): string {
  const registry = `registry ${quoted(owner.registry)}`;
  if (owner.kind === 'docker-config') return `is the Docker configuration of ${registry}`;
  if (owner.kind === 'notifications') return `is what ${registry} shows with its notifications`;
  if (owner.kind === 'proxy') return `belongs to the proxy of ${registry}`;
  return `belongs to ${registry}${use.kind === 'registry' ? ', which stands at another origin' : ''}`;
}

function own({ registry, kind }: Use): string {
  const name = `registry ${quoted(registry)}`;
  if (kind === 'registry') return name;
  if (kind === 'notifications') return `the notifications of ${name}`;
  return kind === 'proxy' ? `the proxy of ${name}` : `the Docker configuration of ${name}`;
}

function usesOf(registry: string, { url, credentials, tls, proxy, notifications }: RegistryDraft): Use[] {
  const uses: Use[] = [];
  const use = (secret: string | undefined, to: Omit<Use, 'secret' | 'registry'>): void => {
    if (secret !== undefined) uses.push({ secret, registry, ...to });
  };
  const server = serverOf(url);
  for (const access of ['read', 'write', 'delete'] as const) {
    const source = credentials?.[access];
    const path = ['credentials', access];
    if (server !== undefined) use(source?.secret, { kind: 'registry', server, path: [...path, 'secret'] });
    use(source?.dockerConfig, { kind: 'docker-config', server: '', path: [...path, 'dockerConfig'] });
  }
  for (const part of ['cert', 'key'] as const) {
    if (server !== undefined) use(tls?.[part]?.secret, { kind: 'registry', server, path: ['tls', part, 'secret'] });
  }
  // Whoever holds it can speak for the registry, so another registry must not.
  use(notifications?.secret, { kind: 'notifications', server: registry, path: ['notifications', 'secret'] });
  const proxyServer = typeof proxy === 'object' ? serverOf(proxy.url) : undefined;
  if (typeof proxy === 'object' && proxyServer !== undefined) {
    use(proxy.secret, { kind: 'proxy', server: proxyServer, path: ['proxy', 'secret'] });
  }
  return uses;
}

function serverOf(url: string | undefined): string | undefined {
  const address = url === undefined ? undefined : parseRegistryUrl(url);
  return address?.ok === true ? address.hostAndPort : undefined;
}
