import { type BasicSecret, ConfigError, parseBasicSecret, type SecretSource, secretVariable } from '@waybill/config';
import { ContentError } from '@waybill/oci-model';
import { basicCredentials, type CredentialProviders, RegistryClient, type RegistryClientOptions } from '@waybill/oci-registry';
import type { Registry, SecretRef } from '@waybill/topology';

export interface RegistryClientsOptions {
  /** Where the values of the topology's named secrets come from. */
  readonly secrets: SecretSource;
  /** Most clients kept open; the one used longest ago is let go. Default 256. */
  readonly maxClients?: number;
  readonly client?: Pick<RegistryClientOptions, 'timeouts' | 'connections' | 'observe'>;
}

/** What a client is for. To read needs no secret that only writing does. */
export type RegistryAccess = 'read' | 'write';

interface OpenClient {
  readonly client: RegistryClient;
  /** What the client was made of: a changed address or secret makes another. */
  readonly made: string;
}

interface Secrets {
  readonly read?: BasicSecret;
  readonly write?: BasicSecret;
}

const defaultMaxClients = 256;

/** Clients of the topology's registries, one per registry and access for as long as what it was made of holds. */
export class RegistryClients {
  readonly #options: RegistryClientsOptions;
  readonly #open = new Map<string, OpenClient>();

  constructor(options: RegistryClientsOptions) {
    this.#options = options;
  }

  /**
   * The client of a registry. `address` is where it listens when it is local.
   * One for reading has the credentials for reading; where none are declared, those for
   * writing if they can be had, as one for writing reads with them too.
   * @throws ContentError `unreachable` (retryable) for a local registry that has no address yet,
   *   `unauthorized` for a secret that is missing or malformed; its value is never named.
   */
  open(registry: Registry, address: string | undefined, access: RegistryAccess): RegistryClient {
    const secrets = this.#secretsFor(registry, access);
    const options = { origin: connectable(registry, address), ...prefixOf(registry), ...capabilitiesOf(registry), credentials: providersOf(secrets) };
    const key = `${access} ${registry.name}`;
    const made = JSON.stringify([options.origin, options.prefix, options.capabilities, secrets]);
    const known = this.#open.get(key);
    this.#open.delete(key);
    const current = known?.made === made ? known : { client: new RegistryClient({ ...this.#options.client, ...options }), made };
    this.#open.set(key, current);
    this.#forgetOldest();
    return current.client;
  }

  close(): void {
    for (const { client } of this.#open.values()) client.close();
    this.#open.clear();
  }

  #secretsFor({ name, credentials }: Registry, access: RegistryAccess): Secrets {
    const read = this.#credentials(name, credentials?.read);
    if (access === 'write') {
      const write = this.#credentials(name, credentials?.write);
      return { ...(read === undefined ? {} : { read }), ...(write === undefined ? {} : { write }) };
    }
    const reading = read ?? this.#credentialsIfUsable(name, credentials?.write);
    return reading === undefined ? {} : { read: reading };
  }

  /** A secret for writing that cannot be used is no reason not to read what everyone may read. */
  #credentialsIfUsable(registry: string, reference: SecretRef | undefined): BasicSecret | undefined {
    try {
      return this.#credentials(registry, reference);
    } catch (error) {
      if (error instanceof ContentError) return undefined;
      throw error;
    }
  }

  #credentials(registry: string, reference: SecretRef | undefined): BasicSecret | undefined {
    if (reference === undefined) return undefined;
    const { secret } = reference;
    try {
      const value = this.#options.secrets.read(secret);
      if (value !== undefined) return parseBasicSecret(secret, value);
    } catch (cause) {
      if (!(cause instanceof ConfigError)) throw cause;
      // To whoever talks to registries this is about one registry, and must not stop the others.
      throw unusable(`the credentials of registry ${registry} cannot be used: ${cause.message}`, cause);
    }
    const variable = secretVariable('WAYBILL_SECRET_', secret);
    throw unusable(
      `secret "${secret}" of registry ${registry} is not set: give ${variable}=username:password, or a file of that name in the secrets folder`,
    );
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

function providersOf({ read, write }: Secrets): CredentialProviders {
  return {
    ...(read === undefined ? {} : { read: basicCredentials(read.username, read.password) }),
    ...(write === undefined ? {} : { write: basicCredentials(write.username, write.password) }),
  };
}

function prefixOf({ prefix }: Registry): Pick<RegistryClientOptions, 'prefix'> {
  return prefix === undefined ? {} : { prefix };
}

/** As far as the topology knows them; whoever runs something adds what checks found (`withProbedCapabilities`). */
function capabilitiesOf({ capabilities }: Registry): Pick<RegistryClientOptions, 'capabilities'> {
  return capabilities === undefined ? {} : { capabilities };
}

/** Where a registry is reached: its URL, or a local one's address at run time. */
export function originOf(registry: Registry, address: string | undefined): string | undefined {
  return registry.url ?? address;
}

function unusable(message: string, cause?: ConfigError): ContentError {
  return new ContentError(message, { code: 'unauthorized', operation: 'read credentials', ...(cause === undefined ? {} : { cause }) });
}
