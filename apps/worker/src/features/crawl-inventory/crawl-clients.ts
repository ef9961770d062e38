import { environmentAndFolderSecrets, type SecretsConfig } from '@waybill/config';
import type { Logger, Metrics } from '@waybill/observability';
import type { LoadedCrawl, RegistryChecks, TopologyRevisions } from '@waybill/persistence';
import { RegistryClients } from '@waybill/registry-clients';
import { withProbedCapabilities } from '@waybill/topology';
import type { OpenedRegistry } from './crawl-inventory.js';

/** Apart from the connections that promotions have: a crawl may take long, and must not stand in their way. */
const connections = 8;

export interface CrawlClientsOptions {
  readonly config: { readonly secrets: SecretsConfig };
  readonly revisions: Pick<TopologyRevisions, 'active'>;
  readonly checks: Pick<RegistryChecks, 'knownCapabilities'>;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Registries as crawls read them. Each has clients of its own, so that its requests can be told from those of promotions. */
export class CrawlClients {
  readonly #options: CrawlClientsOptions;
  readonly #clients: RegistryClients;
  /** By registry: of one registry there is one crawl at a time. */
  readonly #onRequest = new Map<string, (method: string) => void>();

  constructor(options: CrawlClientsOptions) {
    this.#options = options;
    const { config, metrics, logger } = options;
    const requests = metrics.counter({
      name: 'crawl_requests_total',
      help: 'Requests of crawls to a registry that are over, by method.',
      labels: ['registry', 'method'],
    });
    this.#clients = new RegistryClients({
      secrets: environmentAndFolderSecrets(config.secrets),
      client: { connections },
      observe: (registry, event) => {
        logger.debug({ registry, ...event }, 'registry request');
        if (event.kind === 'token') return;
        requests.add({ registry, method: event.method });
        this.#onRequest.get(registry)?.(event.method);
      },
    });
  }

  /** By the topology that is active now; undefined when it has no such registry. */
  async open({ registry: name, address }: LoadedCrawl, onRequest: (method: string) => void): Promise<OpenedRegistry | undefined> {
    const { revisions, checks } = this.#options;
    const active = await revisions.active();
    if (active === undefined) return undefined;
    const topology = withProbedCapabilities(active.topology, await checks.knownCapabilities());
    const registry = topology.registries[name];
    if (registry === undefined) return undefined;
    this.#onRequest.set(name, onRequest);
    return { registry: this.#clients.open(registry, address, 'read'), mayListReferrers: registry.capabilities?.referrersApi !== false };
  }

  close(): void {
    this.#clients.close();
  }
}
