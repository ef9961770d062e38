import type { Digest, Manifest, RepositoryName, Tag } from '@waybill/oci-model';
import type { RegistryReader, RepositoryReader } from '@waybill/promotion';
import { originOf, type RegistryClients } from '@waybill/registry-clients';
import { registryNamed, type Topology } from '@waybill/topology';

export interface TopologyRegistryReaderOptions {
  readonly clients: RegistryClients;
  readonly topology: Topology;
  /** Where local registries listen now, by name. */
  readonly addresses: ReadonlyMap<string, string | undefined>;
}

/** Reads the registries of one topology. A registry that cannot be connected to rejects when it is read, not before. */
export class TopologyRegistryReader implements RegistryReader {
  readonly #options: TopologyRegistryReaderOptions;

  constructor(options: TopologyRegistryReaderOptions) {
    this.#options = options;
  }

  repository(registry: string, repository: RepositoryName): RepositoryReader {
    const open = () => this.#client(registry).repository(repository);
    return {
      readManifest: async (reference: Digest | Tag, signal?: AbortSignal): Promise<Manifest> => open().readManifest(reference, signal),
      probeBlob: async (blob, signal) => open().probeBlob(blob, signal),
      resolveTag: async (tag, signal) => open().resolveTag(tag, signal),
      listTags: (signal) => open().listTags(signal),
    };
  }

  repositories(registry: string, signal: AbortSignal): AsyncIterable<RepositoryName> {
    return this.#client(registry).listRepositories(signal);
  }

  shareOrigin(one: string, other: string): boolean {
    const origin = this.#origin(one);
    return origin !== undefined && origin === this.#origin(other);
  }

  #client(registry: string) {
    const { clients, topology, addresses } = this.#options;
    return clients.open(registryNamed(topology, registry), addresses.get(registry), 'read');
  }

  #origin(registry: string): string | undefined {
    const { topology, addresses } = this.#options;
    return originOf(registryNamed(topology, registry), addresses.get(registry));
  }
}
