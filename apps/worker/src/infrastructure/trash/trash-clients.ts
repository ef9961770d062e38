import { environmentAndFolderSecrets, type SecretsConfig } from '@waybill/config';
import type { Logger, Metrics } from '@waybill/observability';
import type { RegistryClient, RequestEvent } from '@waybill/oci-registry';
import type { RegistryChecks, TopologyRevisions } from '@waybill/persistence';
import { RegistryClients, requestMetrics } from '@waybill/registry-clients';
import { TrashError } from '@waybill/retention';
import { type Registry, withProbedCapabilities } from '@waybill/topology';

/** A registry between whose repositories content goes to the trash and back. */
export interface OpenedTrash {
  readonly registry: Registry;
  readonly client: RegistryClient;
  /**
   * The same, which keeps no list of referrers where the registry keeps none: in the trash there is nothing to list, and what comes
   * back has to be the very list that was deleted, if it can.
   */
  readonly unlisting: RegistryClient;
}

export interface TrashClientsOptions {
  readonly config: { readonly secrets: SecretsConfig };
  readonly revisions: Pick<TopologyRevisions, 'active' | 'currentRegistries'>;
  readonly checks: Pick<RegistryChecks, 'knownCapabilities'>;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Apart from the connections that promotions have. */
const connections = 4;

/** Registries as the trash writes to them. */
export class TrashClients {
  readonly #options: TrashClientsOptions;
  readonly #clients: RegistryClients;
  readonly #unlisting: RegistryClients;

  constructor(options: TrashClientsOptions) {
    this.#options = options;
    const { config, metrics, logger } = options;
    const measure = requestMetrics(metrics);
    const observe = (registry: string, event: RequestEvent): void => {
      logger.debug({ registry, ...event }, 'registry request');
      measure(registry, event);
    };
    const common = { secrets: environmentAndFolderSecrets(config.secrets), client: { connections }, observe };
    this.#clients = new RegistryClients(common);
    this.#unlisting = new RegistryClients(common);
  }

  /**
   * By the topology that is active now.
   * @throws TrashError `registry-replaced`, `registry-unknown`
   * @throws ContentError as `RegistryClients.open`
   */
  async open(registryId: string): Promise<OpenedTrash> {
    const { revisions, checks } = this.#options;
    const operation = 'open trash';
    const record = (await revisions.currentRegistries()).find(({ id }) => id === registryId);
    if (record === undefined) throw new TrashError('the name means another registry by now', { code: 'registry-replaced', operation });
    const active = await revisions.active();
    const topology = active === undefined ? undefined : withProbedCapabilities(active.topology, await checks.knownCapabilities());
    const registry = topology?.registries[record.name];
    if (registry === undefined) {
      throw new TrashError(`the topology has no registry ${record.name} any more`, { code: 'registry-unknown', operation });
    }
    const isListed = { ...registry, capabilities: { ...registry.capabilities, referrersApi: true } };
    return {
      registry,
      client: this.#clients.open(registry, record.address, 'write'),
      unlisting: this.#unlisting.open(isListed, record.address, 'write'),
    };
  }

  close(): void {
    this.#clients.close();
    this.#unlisting.close();
  }
}
