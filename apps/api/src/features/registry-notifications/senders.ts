import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { localNotificationSecret, type SecretSource } from '@waybill/config';
import type { Clock } from '@waybill/kernel';
import type { RepositoryName } from '@waybill/oci-model';
import type { Logger } from '@waybill/observability';
import type { TopologyRevisions } from '@waybill/persistence';
import { annotationMatcher, type HeardRegistry, heardRegistries } from '@waybill/topology';

/** A registry that tells what happens there. */
export interface Sender {
  readonly name: string;
  readonly registryId: string;
  /** Where it is asked about what it tells. */
  readonly location: string;
  readonly prefix: RepositoryName | undefined;
  /** Whether somebody pulls without being a consumer. */
  isIgnored(who: { readonly userAgent: string; readonly actor: string }): boolean;
}

export interface SendersOptions {
  readonly revisions: Pick<TopologyRevisions, 'active' | 'currentRegistries'>;
  readonly secrets: SecretSource;
  /** What the secrets of local registries are made of. */
  readonly key: string | undefined;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn'>;
}

/** How long a changed topology or secret may go unnoticed here. */
const freshMs = 1_000;

interface Known {
  readonly sender: Sender;
  readonly secret: Buffer;
}

/** Who may tell something, and by what it is known. Both are read anew after a while, and kept for requests that come in between. */
export class Senders {
  readonly #options: SendersOptions;
  /** Compared with where there is nobody of that name, so that this takes as long. */
  readonly #nobody = randomBytes(32);
  readonly #warned = new Set<string>();
  #known: Promise<ReadonlyMap<string, Known>> | undefined;
  #readAt = 0;

  constructor(options: SendersOptions) {
    this.#options = options;
  }

  /** The registry of that name, if this is what it shows; nobody can tell from the outside which of the two was wrong. */
  async find(name: string, shown: string): Promise<Sender | undefined> {
    const known = (await this.#read()).get(name);
    const isShown = timingSafeEqual(hashOf(shown), known?.secret ?? this.#nobody);
    return isShown ? known?.sender : undefined;
  }

  #read(): Promise<ReadonlyMap<string, Known>> {
    const now = this.#options.clock.monotonic();
    if (this.#known !== undefined && now - this.#readAt < freshMs) return this.#known;
    const reading = this.#readAll();
    this.#known = reading;
    this.#readAt = now;
    reading.catch(() => {
      if (this.#known === reading) this.#known = undefined;
    });
    return reading;
  }

  async #readAll(): Promise<ReadonlyMap<string, Known>> {
    const { revisions } = this.#options;
    const [active, registries] = await Promise.all([revisions.active(), revisions.currentRegistries()]);
    const idOf = new Map(registries.map(({ name, id }) => [name, id]));
    const known = (active === undefined ? [] : heardRegistries(active.topology)).flatMap((heard): [string, Known][] => {
      const registryId = idOf.get(heard.registry.name);
      const secret = this.#secretOf(heard);
      if (registryId === undefined || secret === undefined) return [];
      return [[heard.registry.name, { sender: senderOf(heard, registryId), secret: hashOf(secret) }]];
    });
    return new Map(known);
  }

  #secretOf({ registry, secret: name }: HeardRegistry): string | undefined {
    const { key } = this.#options;
    if (registry.local !== undefined) return key === undefined ? undefined : localNotificationSecret(key, registry.name);
    const value = name === undefined ? undefined : this.#value(registry.name, name);
    return value === '' ? undefined : value;
  }

  /** What one registry lacks is no trouble of the others. */
  #value(registry: string, name: string): string | undefined {
    const { secrets, logger } = this.#options;
    let err: unknown;
    try {
      const value = secrets.read(name);
      if (value !== undefined) return value;
    } catch (error) {
      err = error;
    }
    if (!this.#warned.has(registry)) {
      logger.warn({ registry, secret: name, err }, 'the secret of a registry’s notifications cannot be read');
    }
    this.#warned.add(registry);
    return undefined;
  }
}

function senderOf({ registry, location, ignore }: HeardRegistry, registryId: string): Sender {
  const [agents, actors] = [ignore.userAgents ?? [], ignore.actors ?? []].map((globs) => globs.map(annotationMatcher));
  return {
    name: registry.name,
    registryId,
    location,
    prefix: registry.prefix,
    isIgnored: ({ userAgent, actor }) =>
      agents?.some((matches) => matches(userAgent)) === true || actors?.some((matches) => matches(actor)) === true,
  };
}

/** Of one length, so that nothing is told by how long a comparison takes. */
function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
