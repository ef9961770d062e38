import {
  type ContentErrorCode,
  effectiveCapabilities,
  parseRepositoryName,
  type RegistryCapabilities,
  type RepositoryName,
} from '@waybill/oci-model';
import { isAllowedHost, isLoopbackHost } from './addresses.js';
import { Agents } from './agents.js';
import { errorOfAnswer, maxErrorBytes } from './answer-errors.js';
import { exchangeAuthorized } from './auth/authorized-exchange.js';
import type { Authorizer } from './auth/authorizer.js';
import { createAuthorizer } from './auth/create-authorizer.js';
import type { Access } from './auth/credentials.js';
import type { Deed } from './auth/scopes.js';
import { type CappedBody, discard, readCapped } from './body.js';
import { errorOfNetwork } from './network-errors.js';
import { defaultTimeouts, type RegistryClientOptions, type Timeouts } from './options.js';
import { Proxies } from './proxies.js';
import { Redactor } from './redact.js';
import { followRedirects } from './redirects.js';
import { RegistryError, type RegistryErrorFacts } from './registry-error.js';
import type { Answer, Exchange } from './exchange.js';
import { tlsSettings } from './tls.js';
import { Transport } from './transport.js';
import { UploadPolicy } from './upload-policy.js';

export interface RegistryRequest extends Omit<Exchange, 'url'> {
  /** A path at the registry, or what the registry linked to. */
  readonly url: string | URL;
  readonly access: Access;
  /** Where content is mounted from, by its name at the registry. */
  readonly mountedFrom?: RepositoryName;
}

const defaultConnections = 16;
const defaultRetries = 2;
const defaultUserAgent = 'waybill';

/**
 * Everything the verbs share of one registry: how to send, whom to be, how to speak of failures.
 * Credentials, redirects and links are decided here and nowhere else.
 */
export class Connection {
  readonly origin: URL;
  readonly timeouts: Timeouts;
  readonly retries: number;
  readonly capabilities: RegistryCapabilities;
  readonly uploads: UploadPolicy;
  readonly #prefix: RepositoryName | undefined;
  readonly #fromLoopback: boolean;
  readonly #agents: Agents;
  readonly #authorizer: Authorizer;
  readonly #redactor: Redactor;
  readonly #transport: Transport;

  constructor(options: RegistryClientOptions) {
    this.origin = parseOrigin(options.origin);
    this.timeouts = { ...defaultTimeouts, ...options.timeouts };
    this.retries = options.retries ?? defaultRetries;
    this.capabilities = effectiveCapabilities(options.capabilities, undefined);
    this.uploads = new UploadPolicy(options);
    this.#prefix = options.prefix;
    this.#fromLoopback = isLoopbackHost(this.origin.hostname);
    this.#agents = new Agents({
      origin: this.origin,
      connections: options.connections ?? defaultConnections,
      fromLoopback: this.#fromLoopback,
      proxies: new Proxies(options.proxy),
      pins: options.resolve ?? {},
      tls: tlsSettings(options.tls, this.origin.host),
    });
    this.#redactor = new Redactor();
    this.#transport = new Transport({
      origin: this.origin,
      agents: this.#agents,
      timeouts: this.timeouts,
      redactor: this.#redactor,
      userAgent: options.userAgent ?? defaultUserAgent,
      observe: options.observe ?? (() => undefined),
    });
    this.#authorizer = createAuthorizer(this.origin, options, {
      retries: this.retries,
      redactor: this.#redactor,
      exchange: (each, authorization) => this.#transport.exchange(each, authorization),
    });
  }

  get host(): string {
    return this.origin.host;
  }

  /** The name by which the registry knows a repository. */
  fullName(name: RepositoryName): RepositoryName {
    return this.#prefix === undefined ? name : parseRepositoryName(`${this.#prefix}/${name}`);
  }

  /** The logical name of a repository that the registry knows by this name; undefined outside of our prefix. */
  logicalName(name: RepositoryName): RepositoryName | undefined {
    if (this.#prefix === undefined) return name;
    return name.startsWith(`${this.#prefix}/`) ? parseRepositoryName(name.slice(this.#prefix.length + 1)) : undefined;
  }

  /** Sends a request and follows its redirects. Any status is an answer; a broken exchange rejects. */
  async send(request: RegistryRequest): Promise<Answer> {
    const { access, mountedFrom, url, ...exchange } = request;
    return await followRedirects(
      { ...exchange, url: typeof url === 'string' ? new URL(url, this.origin) : url },
      {
        exchange: (each) => this.#exchange(each, { access, mountedFrom }),
        link: (text, base) => this.link(text, base, request.operation),
      },
    );
  }

  /** Only the registry's own origin is told who we are, and only it can ask for a token. */
  async #exchange(exchange: Exchange, { access, mountedFrom }: Pick<Deed, 'access' | 'mountedFrom'>): Promise<Answer> {
    if (exchange.url.origin !== this.origin.origin) return await this.#transport.exchange(exchange, undefined);
    const { method, kind, repository } = exchange;
    const deed = { method, kind, access, repository: repository === undefined ? undefined : this.fullName(repository), mountedFrom };
    return await exchangeAuthorized(exchange, deed, {
      host: this.host,
      authorizer: this.#authorizer,
      exchange: (each, authorization) => this.#transport.exchange(each, authorization),
    });
  }

  /**
   * The address that a header of an answer from `base` links to, checked.
   * @throws RegistryError `protocol`
   */
  link(text: string | undefined, base: URL, operation: string): URL {
    const refuse = (why: string): never => {
      throw this.error(`${this.host} ${why}`, { code: 'protocol', operation });
    };
    const url = text === undefined || !URL.canParse(text, base.href) ? refuse('gives no usable link') : new URL(text, base);
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return refuse('links to something that is not HTTP');
    if (url.protocol === 'http:' && base.protocol === 'https:') {
      return refuse('links from https to http: tell the registry its public URL, or its proxy to set X-Forwarded-Proto');
    }
    if (url.username !== '' || url.password !== '') return refuse('links to an address with credentials in it');
    if (url.origin !== this.origin.origin && !isAllowedHost(url.hostname, this.#fromLoopback)) {
      return refuse('links to an address that must not be followed');
    }
    return url;
  }

  /** Turns an unwelcome answer into the error to throw, having read what it says. */
  async refusal(answer: Answer, request: Pick<RegistryRequest, 'operation' | 'repository'>): Promise<RegistryError> {
    const body = await readCapped(answer, maxErrorBytes).catch((error: unknown) => {
      if (error instanceof RegistryError && error.code === 'aborted') throw error;
      return { bytes: Buffer.alloc(0) }; // a broken error body takes nothing from its status
    });
    const { operation, repository } = request;
    return errorOfAnswer(
      { ...answer, body: body.bytes },
      { host: this.host, operation, redactor: this.#redactor, details: repository === undefined ? {} : { repository } },
    );
  }

  /** Drops the answer's body and gives the error for what its head already shows. */
  async rejection(answer: Answer, message: string, facts: ErrorWords): Promise<RegistryError> {
    await discard(answer);
    return this.error(message, { status: answer.status, ...facts });
  }

  error(message: string, facts: ErrorWords): RegistryError {
    return new RegistryError(message, { ...facts, host: this.host });
  }

  /** An answer's body, at most `atMost` bytes of it. Rejects with the typed error of one that breaks. */
  async bodyOf(answer: Answer, { atMost, operation }: { readonly atMost: number; readonly operation: string }): Promise<CappedBody> {
    return await readCapped(answer, atMost).catch((error: unknown) => {
      throw this.bodyError(error, operation);
    });
  }

  /** The typed error of a body that broke while it was read. */
  bodyError(error: unknown, operation: string): RegistryError {
    return errorOfNetwork(error, { host: this.host, operation, redactor: this.#redactor });
  }

  close(): void {
    this.#agents.close();
  }
}

type ErrorWords = Omit<RegistryErrorFacts, 'host'> & { readonly code: ContentErrorCode };

/** @throws RegistryError `reference-invalid` */
function parseOrigin(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const usable = url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:') && url.pathname === '/' && url.search === '';
  if (usable && url.username === '' && url.password === '') return url;
  throw new RegistryError('a registry needs an origin like https://registry.example.com, without path and credentials', {
    code: 'reference-invalid',
    operation: 'configure registry client',
    host: url?.host ?? '',
  });
}
