import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, rootCertificates, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { ContentErrorCode } from '@waybill/oci-model';
import type { TlsOptions } from './network-options.js';
import { RegistryError } from './registry-error.js';

/** What TLS connections are made with. Certificates are always verified; there is no way to turn that off. */
export interface TlsSettings {
  /** Towards the registry itself: its own authority, and who we are. */
  readonly own: { readonly secureContext?: SecureContext; readonly servername?: string };
  /** Towards proxies and what the registry links to: never with our certificate. */
  readonly foreign: { readonly secureContext?: SecureContext };
}

/**
 * Made once per client: reading a list of authorities for each connection would cost milliseconds.
 * A registry with an authority of its own is trusted by that alone, so that no public authority can
 * vouch for another in its place; the hosts that it links to may be known by either.
 *
 * @throws RegistryError `unreachable` for an authority, `unauthorized` for a client certificate that cannot be used
 */
export function tlsSettings(options: TlsOptions | undefined, host: string): TlsSettings {
  if (options === undefined) return { own: {}, foreign: {} };
  const { ca, cert, key, serverName } = options;
  if (ca !== undefined) checkAuthority(ca, host);
  const own = { ...(ca === undefined ? {} : { ca }), ...identityOf({ cert, key }, host) };
  return {
    own: {
      ...(Object.keys(own).length === 0 ? {} : { secureContext: contextOf(own, host) }),
      ...(serverName === undefined ? {} : { servername: serverName }),
    },
    foreign: ca === undefined ? {} : { secureContext: contextOf({ ca: [...rootCertificates, ca] }, host) },
  };
}

/** OpenSSL has an opinion of its own on what is too weak. */
function contextOf(options: SecureContextOptions, host: string): SecureContext {
  const context = attempt(() => createSecureContext(options));
  if (context !== undefined) return context;
  throw refusal(`the certificates for ${host} are refused by OpenSSL, perhaps as too weak`, 'unauthorized', host);
}

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function checkAuthority(ca: string, host: string): void {
  const blocks = ca.match(certificateBlock) ?? [];
  if (blocks.length > 0 && blocks.every(isCertificate)) return;
  throw refusal(`the certificate authority of ${host} is no certificate in PEM form`, 'unreachable', host);
}

function identityOf({ cert, key }: Pick<TlsOptions, 'cert' | 'key'>, host: string): { cert: string; key: string } | undefined {
  if (cert === undefined && key === undefined) return undefined;
  const refuse = (problem: string): never => {
    throw refusal(`the client certificate for ${host} ${problem}`, 'unauthorized', host);
  };
  if (cert === undefined || key === undefined) return refuse('needs both a certificate and its key');
  const [leaf = ''] = cert.match(certificateBlock) ?? [];
  if (!isCertificate(leaf)) return refuse('is no certificate in PEM form');
  // What OpenSSL says of a key is not repeated: nothing of a key belongs into an error.
  const privateKey = attempt(() => createPrivateKey(key)) ?? refuse('has a key that is no private key in PEM form, or is encrypted');
  if (!new X509Certificate(leaf).checkPrivateKey(privateKey)) return refuse('belongs to another key');
  return { cert, key };
}

function isCertificate(pem: string): boolean {
  return attempt(() => new X509Certificate(pem)) !== undefined;
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

function refusal(message: string, code: ContentErrorCode, host: string): RegistryError {
  return new RegistryError(message, { code, operation: 'configure registry client', host });
}
