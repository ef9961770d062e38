import type { RegistryRecord, TopologyRevision, TopologyRevisions } from '@waybill/persistence';
import type { RegistryReader } from '@waybill/promotion';
import type { RegistryClients } from '@waybill/registry-clients';
import { TopologyRegistryReader } from './topology-registry-reader.js';

export interface OpenRegistries {
  readonly reader: RegistryReader;
  /** What the names of registries mean now. */
  readonly records: readonly RegistryRecord[];
}

/** Gives a reader of a revision's registries, where local ones listen now. */
export function openRegistryReader(clients: RegistryClients, revisions: TopologyRevisions) {
  return async ({ topology }: TopologyRevision): Promise<OpenRegistries> => {
    const records = await revisions.currentRegistries();
    const addresses = new Map(records.map(({ name, address }) => [name, address]));
    return { reader: new TopologyRegistryReader({ clients, topology, addresses }), records };
  };
}
