import type { TopologyRevision, TopologyRevisions } from '@waybill/persistence';
import type { RegistryReader } from '@waybill/promotion';
import type { RegistryClients } from '@waybill/registry-clients';
import { BoundedRegistryReader } from './bounded-registry-reader.js';
import { TopologyRegistryReader } from './topology-registry-reader.js';

/** Questions that one request has under way at registries, all of them together. */
const maxQuestionsAtOnce = 32;

/** Gives readers of a revision's registries, where local ones listen now; one for each request. */
export function registryReaderOf(clients: RegistryClients, revisions: TopologyRevisions) {
  return async ({ topology }: TopologyRevision): Promise<RegistryReader> => {
    const addresses = new Map((await revisions.currentRegistries()).map(({ name, address }) => [name, address]));
    return new BoundedRegistryReader(new TopologyRegistryReader({ clients, topology, addresses }), maxQuestionsAtOnce);
  };
}
