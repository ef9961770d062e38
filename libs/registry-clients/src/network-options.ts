import type { EnvironmentProxies } from '@waybill/config';
import type { ProxyOptions, RegistryClientOptions, TlsOptions } from '@waybill/oci-registry';
import type { Registry, TlsIdentity } from '@waybill/topology';
import type { NamedSecrets } from './named-secrets.js';

/**
 * What a topology says of how a registry is connected to, in the words of a client. Capabilities are those that it
 * declares; whoever runs something adds what checks found (`withProbedCapabilities`).
 */
export type NetworkOptions = Pick<
  RegistryClientOptions,
  'capabilities' | 'connections' | 'proxy' | 'resolve' | 'timeouts' | 'tls' | 'tokenRealms'
>;

export interface NetworkSources {
  readonly secrets: NamedSecrets;
  /** Asked only where the topology asks for the proxies of the environment. */
  readonly proxies: () => EnvironmentProxies;
}

/** @throws ContentError for a secret or a proxy that cannot be had */
export function networkOptions(registry: Registry, sources: NetworkSources): NetworkOptions {
  const { capabilities, limits, proxy, resolve, timeouts, tls, tokenRealms } = registry;
  return {
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(limits?.connections === undefined ? {} : { connections: limits.connections }),
    ...(proxy === undefined ? {} : { proxy: proxyOf(proxy, sources) }),
    ...(resolve === undefined ? {} : { resolve }),
    ...(timeouts === undefined ? {} : { timeouts }),
    ...(tls === undefined ? {} : { tls: tlsOf(tls, sources.secrets) }),
    ...(tokenRealms === undefined ? {} : { tokenRealms }),
  };
}

function tlsOf({ ca, cert, key, serverName }: TlsIdentity, secrets: NamedSecrets): TlsOptions {
  const pem = 'certificates in PEM form';
  return {
    ...(ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : secrets.text(ca.secret, pem) }),
    ...(cert === undefined ? {} : { cert: secrets.text(cert.secret, pem) }),
    ...(key === undefined ? {} : { key: secrets.text(key.secret, 'a private key in PEM form') }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

function proxyOf(proxy: NonNullable<Registry['proxy']>, { secrets, proxies }: NetworkSources): ProxyOptions {
  if (proxy === 'environment') return secrets.guard('proxy', proxies, 'unreachable');
  const { url, secret, except } = proxy;
  const server = { url, ...(secret === undefined ? {} : { credentials: secrets.basic(secret) }) };
  return { http: server, https: server, ...(except === undefined ? {} : { except }) };
}
