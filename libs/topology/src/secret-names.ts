import type { CredentialSource, Registry, SecretRef, Topology } from './model.js';

/** The names of all secrets that the topology's registries need, sorted, each once. */
export function secretNames(topology: Topology): string[] {
  return [...new Set(Object.values(topology.registries).flatMap(namedBy))].sort();
}

function namedBy({ credentials, tls, proxy, notifications }: Registry): string[] {
  const sources = [credentials?.read, credentials?.write, credentials?.delete].flatMap(nameIn);
  const ofTls = [tls?.ca, tls?.cert, tls?.key].flatMap((ref) => (typeof ref === 'object' ? nameIn(ref) : []));
  const ofProxy = typeof proxy === 'object' && proxy.secret !== undefined ? [proxy.secret] : [];
  const shown = notifications?.secret === undefined ? [] : [notifications.secret];
  return [...sources, ...ofTls, ...ofProxy, ...shown];
}

function nameIn(source: CredentialSource | SecretRef | undefined): string[] {
  if (source === undefined || 'helper' in source) return [];
  return ['secret' in source ? source.secret : source.dockerConfig];
}
