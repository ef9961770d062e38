import type { TopologyRevision, TopologyRevisions } from '@waybill/persistence';
import type { RegistryClients } from '@waybill/registry-clients';
import { BoundedRegistryReader } from '../../infrastructure/bounded-registry-reader.js';
import { TopologyRegistryReader } from '../../infrastructure/topology-registry-reader.js';
import type { RequestReaders } from './resolve-items.js';

/** Questions that one request has under way at registries, at sources and at targets. */
const maxQuestionsAtOnce = { sources: 8, targets: 24 } as const;

/** Gives readers of a revision's registries, where local ones listen now; for one request each. */
export function requestReadersOf(clients: RegistryClients, revisions: TopologyRevisions) {
  return async ({ topology }: TopologyRevision): Promise<RequestReaders> => {
    const addresses = new Map((await revisions.currentRegistries()).map(({ name, address }) => [name, address]));
    const reader = new TopologyRegistryReader({ clients, topology, addresses });
    return {
      sources: new BoundedRegistryReader(reader, maxQuestionsAtOnce.sources),
      targets: new BoundedRegistryReader(reader, maxQuestionsAtOnce.targets),
    };
  };
}
