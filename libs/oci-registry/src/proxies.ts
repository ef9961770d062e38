import { BlockList, isIP } from 'node:net';
import { unbracketed, withoutRoot } from './addresses.js';
import { basicHeader, secretsOf } from './auth/credentials.js';
import type { ProxyOptions } from './network-options.js';
import { RegistryError } from './registry-error.js';

/** A proxy, ready to be connected to. */
export interface ProxyServer {
  readonly url: URL;
  /** The value of `Proxy-Authorization`. */
  readonly authorization?: string;
  /** Every form in which the credentials could turn up in text. */
  readonly secrets: readonly string[];
}

/** Which proxy a request takes. Decided by the address alone, before any name is resolved. */
export class Proxies {
  readonly #http: ProxyServer | undefined;
  readonly #https: ProxyServer | undefined;
  readonly #exceptions: readonly Exception[];

  /** @throws RegistryError `reference-invalid` for a proxy's URL that is none */
  constructor(options: ProxyOptions | undefined) {
    this.#http = serverOf(options?.http);
    this.#https = serverOf(options?.https);
    this.#exceptions = (options?.except ?? []).map(exceptionOf);
  }

  /** The proxy on the way to `url`; undefined where the way is direct. */
  of(url: URL): ProxyServer | undefined {
    const proxy = url.protocol === 'https:' ? this.#https : this.#http;
    if (proxy === undefined) return undefined;
    const place = { host: withoutRoot(unbracketed(url.hostname)), port: url.port === '' ? defaultPorts[url.protocol] : url.port };
    return this.#exceptions.some((covers) => covers(place)) ? undefined : proxy;
  }
}

interface Place {
  readonly host: string;
  readonly port: string | undefined;
}

type Exception = (place: Place) => boolean;

const defaultPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/**
 * One entry of `NO_PROXY`, as curl and Go read it: `*`, an address, a range such as `10.0.0.0/8`,
 * or a domain, which covers itself and what lies below it, with or without a leading dot.
 * Any of them but the first may end in a port. What is none of these covers nothing.
 */
function exceptionOf(entry: string): Exception {
  const text = entry.trim().toLowerCase();
  if (text === '*') return () => true;
  const { host, port } = splitPort(text);
  const coversHost = coveringHost(host);
  return (place) => (port === undefined || port === place.port) && coversHost(place.host);
}

function coveringHost(pattern: string): (host: string) => boolean {
  const range = rangeOf(pattern);
  if (range !== undefined) return (host) => isIP(host) !== 0 && range.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
  const domain = withoutRoot(pattern.replace(/^\*?\./, ''));
  return (host) => domain !== '' && (host === domain || host.endsWith(`.${domain}`));
}

function rangeOf(pattern: string): BlockList | undefined {
  const [address = '', bits, ...rest] = pattern.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return undefined;
  const most = family === 6 ? 128 : 32;
  const prefix = bits === undefined ? most : Number(bits);
  if (bits !== undefined && (!/^\d{1,3}$/.test(bits) || prefix > most)) return undefined;
  const range = new BlockList();
  range.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
  return range;
}

/** An address of version 6 has its port behind brackets; its own colons are none. */
function splitPort(text: string): { readonly host: string; readonly port?: string } {
  const [, bracketed, behind] = /^\[([^\]]*)\](?::(\d+))?$/.exec(text) ?? [];
  if (bracketed !== undefined) return { host: bracketed, ...(behind === undefined ? {} : { port: behind }) };
  const [, host, port] = /^([^:]*):(\d+)$/.exec(text) ?? [];
  return host === undefined || port === undefined ? { host: text } : { host, port };
}

function serverOf(proxy: ProxyOptions['http']): ProxyServer | undefined {
  if (proxy === undefined) return undefined;
  const url = URL.canParse(proxy.url) ? new URL(proxy.url) : undefined;
  const usable = url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '';
  if (!usable) {
    throw new RegistryError('a proxy needs a URL like http://proxy.example.com:3128, without credentials', {
      code: 'reference-invalid',
      operation: 'configure registry client',
      host: '',
    });
  }
  const { credentials } = proxy;
  if (credentials === undefined) return { url, secrets: [] };
  const { username, password } = credentials;
  return { url, authorization: basicHeader(username, password), secrets: secretsOf({ kind: 'basic', username, password }) };
}
