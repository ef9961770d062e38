import { environmentAndFolderSecrets, type SecretsConfig } from '@waybill/config';
import type { InventoriedRegistry } from '@waybill/inventory';
import type { Logger, Metrics } from '@waybill/observability';
import type { Heartbeat, TopologyRevisions } from '@waybill/persistence';
import { RegistryClients } from '@waybill/registry-clients';
import type { Registry } from '@waybill/topology';

/** Apart from the connections that promotions have. */
const connections = 4;
/** A heartbeat is a small read: a registry that takes longer for it has other troubles. */
const heartbeatTimeouts = { connectMs: 5_000, answerMs: 10_000, smallMs: 15_000 } as const;

export interface ToldRegistriesOptions {
  readonly config: { readonly secrets: SecretsConfig };
  readonly revisions: Pick<TopologyRevisions, 'active'>;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** A registry as rows name it. */
export interface NamedRegistry {
  readonly name: string;
  readonly address: string | undefined;
}

/** Registries as they are asked about what they tell, by the topology that is active now. */
export class ToldRegistries {
  readonly #options: ToldRegistriesOptions;
  readonly #clients: RegistryClients;
  readonly #count: (registry: string, method: string) => void;

  constructor(options: ToldRegistriesOptions) {
    this.#options = options;
    const requests = options.metrics.counter({
      name: 'notification_requests_total',
      help: 'Requests to a registry that follow from what it told, and heartbeats, that are over, by method.',
      labels: ['registry', 'method'],
    });
    this.#count = (registry, method) => requests.add({ registry, method });
    this.#clients = this.#clientsOf({ connections });
  }

  /** Undefined when the topology has no such registry any more. @throws ContentError when it cannot be reached */
  async open({ name, address }: NamedRegistry): Promise<InventoriedRegistry | undefined> {
    const registry = await this.#registry(name);
    return registry === undefined ? undefined : this.#clients.open(registry, address, 'read');
  }

  /** Reads the manifest under the name of the heartbeat, by which the registry's own word of it is known. @throws ContentError */
  async beat({ id, registry: { name, address }, manifest }: Heartbeat, signal: AbortSignal): Promise<void> {
    const registry = await this.#registry(name);
    if (registry === undefined || manifest === undefined) return;
    const clients = this.#clientsOf({ connections: 1, userAgent: `waybill (heartbeat ${id})`, timeouts: heartbeatTimeouts });
    try {
      await clients.open(registry, address, 'read').repository(manifest.repository).readManifest(manifest.digest, signal);
    } finally {
      clients.close();
    }
  }

  close(): void {
    this.#clients.close();
  }

  async #registry(name: string): Promise<Registry | undefined> {
    return (await this.#options.revisions.active())?.topology.registries[name];
  }

  #clientsOf(client: NonNullable<ConstructorParameters<typeof RegistryClients>[0]['client']>): RegistryClients {
    const { config, logger } = this.#options;
    return new RegistryClients({
      secrets: environmentAndFolderSecrets(config.secrets),
      client,
      observe: (registry, event) => {
        logger.debug({ registry, ...event }, 'registry request');
        if (event.kind !== 'token') this.#count(registry, event.method);
      },
    });
  }
}
