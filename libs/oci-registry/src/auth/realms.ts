import { isAllowedHost, isLoopbackHost } from '../addresses.js';
import { RegistryError } from '../registry-error.js';

/** Vendors whose token server has another name than their registry. All others that are known ask at their own origin. */
const vendors: readonly { readonly registry: string; readonly realm: string }[] = [
  { registry: 'registry-1.docker.io', realm: 'https://auth.docker.io' },
  { registry: 'index.docker.io', realm: 'https://auth.docker.io' },
  { registry: 'registry.gitlab.com', realm: 'https://gitlab.com' },
  { registry: 'docker.elastic.co', realm: 'https://docker-auth.elastic.co' },
  { registry: 'registry.digitalocean.com', realm: 'https://api.digitalocean.com' },
];

/**
 * Which token servers may be told who we are (DESIGN invariant 4): those at the registry's own origin,
 * those of its vendor, and those that were declared for it. Whatever else a challenge names is asked
 * without credentials, if its address may be followed at all.
 */
export class Realms {
  readonly #origin: URL;
  readonly #trusted: readonly URL[];

  /** @throws RegistryError `reference-invalid` for a declared realm that is no address of a server */
  constructor(origin: URL, declared: readonly string[]) {
    this.#origin = origin;
    const known = vendors.filter(({ registry }) => origin.protocol === 'https:' && registry === origin.host);
    this.#trusted = [origin, ...known.map(({ realm }) => new URL(realm)), ...declared.map((text) => parseDeclared(text, origin))];
  }

  /**
   * The address that a challenge names.
   * @throws RegistryError `protocol` for one that must not be asked at all
   */
  parse(text: string | undefined): URL {
    const url =
      text !== undefined && URL.canParse(text) ? new URL(text) : this.#refuse('asks for a token and names no usable server for it');
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return this.#refuse('names a token server that does not speak HTTP');
    if (url.username !== '' || url.password !== '') return this.#refuse('names a token server with credentials in its address');
    if (url.protocol === 'http:' && this.#origin.protocol === 'https:' && !this.#isBesideUs(url)) {
      return this.#refuse(`names the token server ${url.host}, which would be asked without encryption`);
    }
    if (!this.isTrusted(url) && !isAllowedHost(url.hostname, isLoopbackHost(this.#origin.hostname))) {
      return this.#refuse(`names the token server ${url.host}, whose address must not be followed`);
    }
    url.hash = '';
    return url;
  }

  /** May this token server be told who we are? */
  isTrusted(realm: URL): boolean {
    return this.#trusted.some(({ origin, pathname }) => origin === realm.origin && (pathname === '/' || pathname === realm.pathname));
  }

  /** The error for credentials that are not given to `realm`. */
  undeclared(realm: URL): RegistryError {
    const host = this.#origin.host;
    const how = `if the registry's credentials may go there, add "${realm.origin}" to its tokenRealms`;
    return new RegistryError(`${host} asks for a token of ${realm.host}, which is not declared as a token server of it: ${how}`, {
      code: 'unauthorized',
      operation: 'get token',
      host,
      details: { realm: realm.origin },
    });
  }

  #isBesideUs(url: URL): boolean {
    return isLoopbackHost(url.hostname) && isLoopbackHost(this.#origin.hostname);
  }

  #refuse(why: string): never {
    throw new RegistryError(`${this.#origin.host} ${why}`, { code: 'protocol', operation: 'get token', host: this.#origin.host });
  }
}

function parseDeclared(text: string, origin: URL): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const usable = url !== undefined && (url.protocol === 'https:' || url.protocol === 'http:') && url.search === '' && url.hash === '';
  if (usable && url.username === '' && url.password === '') return url;
  throw new RegistryError(`a token realm of ${origin.host} is not an address like https://auth.example.com`, {
    code: 'reference-invalid',
    operation: 'configure registry client',
    host: origin.host,
  });
}
