import type { Draft, RegistryDraft } from '../draft.js';
import { type Finding, quoted } from '../finding.js';
import { parseRegistryUrl } from '../registry-url.js';

/** TLS is set up for what speaks it, and a client shows a certificate together with its key or neither. */
export function tlsSettings(draft: Draft): Finding[] {
  return Object.entries(draft.registries).flatMap(([name, registry]) => {
    if (registry.tls === undefined) return [];
    return [...withoutHttps(name, registry), ...half(name, registry.tls)];
  });
}

function withoutHttps(name: string, { url }: RegistryDraft): Finding[] {
  const address = url === undefined ? undefined : parseRegistryUrl(url);
  if (!address?.ok || address.secure) return [];
  const message = `"tls" means nothing here: the url of registry ${quoted(name)} begins with http`;
  return [{ code: 'tls-without-https', message, path: ['registries', name, 'tls'], at: 'key' }];
}

function half(name: string, tls: NonNullable<RegistryDraft['tls']>): Finding[] {
  const [has, lacks] = Object.hasOwn(tls, 'cert') ? (['cert', 'key'] as const) : (['key', 'cert'] as const);
  if (!Object.hasOwn(tls, has) || Object.hasOwn(tls, lacks)) return [];
  const message = `"tls" has ${quoted(has)} and no ${quoted(lacks)}: a client certificate is used together with its key`;
  return [{ code: 'tls-half', message, path: ['registries', name, 'tls', has], at: 'key' }];
}
