import { createHash } from 'node:crypto';
import { type EnvironmentProxies, environmentProxies, helperEnvironment, type SecretSource } from '@waybill/config';
import { ContentError } from '@waybill/oci-model';
import { RegistryClient, type RegistryClientOptions, type RequestEvent } from '@waybill/oci-registry';
import type { Registry } from '@waybill/topology';
import { credentialsOf, type RegistryAccess } from './credentials.js';
import { NamedSecrets } from './named-secrets.js';
import { networkOptions } from './network-options.js';

export interface RegistryClientsOptions {
  /** Where the values of the topology's named secrets come from. */
  readonly secrets: SecretSource;
  /** Most clients kept open; the one used longest ago is let go. Default 256. */
  readonly maxClients?: number;
  /** The proxies of the environment, for registries whose topology asks for them. Default: those of this process. */
  readonly proxies?: () => EnvironmentProxies;
  /** What credential helpers get as environment. Default: that of this process without what is Waybill's own. */
  readonly helperEnvironment?: Readonly<Record<string, string>>;
  /** For what a topology does not say of a registry. */
  readonly client?: Pick<RegistryClientOptions, 'timeouts' | 'connections' | 'userAgent'>;
  /** Told about every request when it is over, and the name of the registry. Must not throw. */
  readonly observe?: (registry: string, event: RequestEvent) => void;
}

interface OpenClient {
  readonly client: RegistryClient;
  /** A hash of what the client was made of, secrets included: when any of it changes, there is another. */
  readonly made: string;
}

const defaultMaxClients = 256;

/** Clients of the topology's registries, one per registry and access for as long as what it was made of holds. */
export class RegistryClients {
  readonly #options: RegistryClientsOptions;
  readonly #helperEnvironment: Readonly<Record<string, string>>;
  readonly #open = new Map<string, OpenClient>();

  constructor(options: RegistryClientsOptions) {
    this.#options = options;
    this.#helperEnvironment = options.helperEnvironment ?? helperEnvironment();
  }

  /**
   * The client of a registry. `address` is where it listens when it is local.
   * @throws ContentError `unreachable` (retryable) for a local registry that has no address yet, `unauthorized`
   *   for a secret that is missing or malformed, whose value is never named, and what a client refuses of its options
   */
  open(registry: Registry, address: string | undefined, access: RegistryAccess): RegistryClient {
    const secrets = new NamedSecrets(this.#options.secrets, registry.name);
    const origin = connectable(registry, address);
    const credentials = credentialsOf(registry, access, { secrets, host: hostOf(origin), helperEnvironment: this.#helperEnvironment });
    const network = networkOptions(registry, { secrets, proxies: this.#options.proxies ?? environmentProxies });
    const place = { origin, ...prefixOf(registry) };
    const made = hashOf([place, network, credentials.madeOf]);
    const key = `${access} ${registry.name}`;
    const known = this.#open.get(key);
    this.#open.delete(key);
    const current =
      known?.made === made
        ? known
        : { client: this.#make(registry.name, { ...place, ...network, credentials: credentials.providers }), made };
    this.#open.set(key, current);
    this.#forgetOldest();
    return current.client;
  }

  close(): void {
    for (const { client } of this.#open.values()) client.close();
    this.#open.clear();
  }

  #make(name: string, options: RegistryClientOptions): RegistryClient {
    const { client, observe } = this.#options;
    return new RegistryClient({
      ...client,
      ...options,
      timeouts: { ...client?.timeouts, ...options.timeouts },
      ...(observe === undefined ? {} : { observe: (event) => observe(name, event) }),
    });
  }

  /** The map keeps the order of use. A client let go finishes what is under way; its idle connections close by themselves. */
  #forgetOldest(): void {
    const [oldest] = this.#open.keys();
    if (oldest !== undefined && this.#open.size > (this.#options.maxClients ?? defaultMaxClients)) this.#open.delete(oldest);
  }
}

function connectable(registry: Registry, address: string | undefined): string {
  const origin = originOf(registry, address);
  if (origin !== undefined) return origin;
  throw new ContentError(`local registry ${registry.name} is not running: start it with "waybill up"`, {
    code: 'unreachable',
    operation: 'connect',
    retryable: true,
  });
}

function prefixOf({ prefix }: Registry): Pick<RegistryClientOptions, 'prefix'> {
  return prefix === undefined ? {} : { prefix };
}

/** Where a registry is reached: its URL, or a local one's address at run time. */
export function originOf(registry: Registry, address: string | undefined): string | undefined {
  return registry.url ?? address;
}

function hostOf(origin: string): string {
  return origin.slice(origin.indexOf('//') + 2);
}

function hashOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
