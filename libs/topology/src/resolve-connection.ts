import { parseDuration } from './duration.js';
import type { CredentialSource, ProxyServer, Registry, RegistryTimeouts } from './model.js';
import { parseRegistryUrl } from './registry-url.js';
import type { TopologyDocument } from './schema.js';

type RegistryEntry = TopologyDocument['registries'][string];
type Connection = Pick<Registry, 'credentials' | 'tokenRealms' | 'tls' | 'proxy' | 'resolve' | 'timeouts' | 'limits'>;

/** How a registry is connected to. What is not written stays absent, so that older files keep their canonical form. */
export function connectionOf({ credentials, tokenRealms, tls, proxy, resolve, timeouts, limits }: RegistryEntry): Connection {
  return {
    ...(credentials === undefined ? {} : { credentials: mapPresent(credentials, sourceOf) }),
    ...(tokenRealms === undefined ? {} : { tokenRealms: tokenRealms.map(realmOf) }),
    ...(tls === undefined ? {} : { tls: tls.serverName === undefined ? tls : { ...tls, serverName: tls.serverName.toLowerCase() } }),
    ...(proxy === undefined ? {} : { proxy: proxyOf(proxy) }),
    ...(resolve === undefined ? {} : { resolve: inLowerCase(resolve) }),
    ...(timeouts === undefined ? {} : { timeouts: timeoutsOf(timeouts) }),
    ...(limits === undefined ? {} : { limits }),
  };
}

type Credentials = NonNullable<RegistryEntry['credentials']>;

function sourceOf({ secret, dockerConfig, helper }: NonNullable<Credentials['read']>): CredentialSource {
  if (secret !== undefined) return { secret };
  if (dockerConfig !== undefined) return { dockerConfig };
  if (helper !== undefined) return { helper };
  throw new TypeError('credentials come from nowhere: the document was not checked');
}

/** An origin without the slash that goes without saying. */
function realmOf(text: string): string {
  const url = new URL(text);
  return url.pathname === '/' ? url.origin : url.href;
}

function proxyOf(written: NonNullable<RegistryEntry['proxy']>): 'environment' | ProxyServer {
  if (written === 'environment') return written;
  const { url, ...rest } = typeof written === 'string' ? { url: written } : written;
  const address = parseRegistryUrl(url);
  return { ...rest, url: address.ok ? address.origin : url };
}

function inLowerCase(addresses: Readonly<Record<string, readonly string[]>>): Record<string, readonly string[]> {
  return Object.fromEntries(Object.entries(addresses).map(([host, pinned]) => [host.toLowerCase(), pinned]));
}

function timeoutsOf({ connect, answer, commit, idle, small }: NonNullable<RegistryEntry['timeouts']>): RegistryTimeouts {
  return mapPresent({ connectMs: connect, answerMs: answer, commitMs: commit, idleMs: idle, smallMs: small }, (text) => {
    const ms = parseDuration(text);
    if (ms === undefined) throw new TypeError('a timeout is no duration: the document was not checked');
    return ms;
  });
}

/** Each value that is there, made another; keys without a value go away. */
function mapPresent<Key extends string, From, To>(
  record: Readonly<Partial<Record<Key, From | undefined>>>,
  map: (value: From) => To,
): Partial<Record<Key, To>> {
  const entries = Object.entries(record) as [Key, From | undefined][];
  return Object.fromEntries(entries.flatMap(([key, value]) => (value === undefined ? [] : [[key, map(value)]]))) as Partial<
    Record<Key, To>
  >;
}
