import type { DiagnosticCode } from './diagnostic.js';

export type ParsedRegistryUrl =
  | { readonly ok: true; readonly origin: string; readonly secure: boolean; readonly loopback: boolean; readonly hostAndPort: string }
  | { readonly ok: false; readonly code: DiagnosticCode & `url-${string}`; readonly problem: string };

/**
 * A registry's address: scheme, host and port, nothing else.
 * Problems never repeat the text, because it may hold a password.
 */
export function parseRegistryUrl(text: string): ParsedRegistryUrl {
  if (text.includes('@')) {
    return {
      ok: false,
      code: 'url-credentials',
      problem: 'must not hold a user name or password; name a secret under credentials instead',
    };
  }
  if (/[\s\\]/.test(text) || !URL.canParse(text)) return invalid('is not a URL such as https://registry.example.com');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return invalid('must begin with https:// or http://');
  if (/[?#]/.test(text)) return invalid('must end after the host and port');
  if (url.pathname !== '/') return invalid('must end after the host and port; a path below it is the registry\'s "prefix"');
  return {
    ok: true,
    origin: url.origin,
    secure: url.protocol === 'https:',
    loopback: isLoopback(url.hostname),
    hostAndPort: hostAndPort(url),
  };
}

function invalid(problem: string): ParsedRegistryUrl {
  return { ok: false, code: 'url-invalid', problem };
}

/** Only these names stay on the machine whatever a resolver says (RFC 6761 section 6.3, RFC 5735 section 3). */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname);
}

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

/** What tells two servers apart: the scheme does not, and the usual loopback names are one host. */
function hostAndPort(url: URL): string {
  const host = loopbackNames.includes(url.hostname) ? 'localhost' : url.hostname.replace(/\.$/, '');
  const defaultPort = url.protocol === 'https:' ? '443' : '80';
  return `${host}:${url.port === '' ? defaultPort : url.port}`;
}
