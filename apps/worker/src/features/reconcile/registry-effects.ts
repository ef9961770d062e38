import { ContentError, type Digest } from '@waybill/oci-model';
import type { OpenEffect } from '@waybill/persistence';
import type { RegistryClients } from '@waybill/registry-clients';
import { registryNamed, type Topology } from '@waybill/topology';

/** Reads what registries hold where an effect was to change it, as the active topology says that they are reached. */
export class RegistryEffects {
  readonly #clients: RegistryClients;
  readonly #topology: Topology;

  constructor(clients: RegistryClients, topology: Topology) {
    this.#clients = clients;
    this.#topology = topology;
  }

  /** The manifest's digest, or what the tag names; undefined when it is absent. Trouble rejects: unknown is not absent. */
  async read(effect: OpenEffect, signal: AbortSignal): Promise<Digest | undefined> {
    const registry = registryNamed(this.#topology, effect.registry);
    const repository = this.#clients.open(registry, effect.address, 'write').repository(effect.repository);
    if (effect.tag !== undefined) return repository.resolveTag(effect.tag, signal);
    try {
      return (await repository.readManifest(effect.digest, signal)).digest;
    } catch (error) {
      if (error instanceof ContentError && error.code === 'not-found') return undefined;
      throw error;
    }
  }
}
