import type { RegistryList } from '@waybill/contracts/http';
import { capabilityNames, effectiveCapabilities } from '@waybill/oci-model';
import type { NewestReport, RegistryRecord, TopologyRevision } from '@waybill/persistence';
import { type Registry, type Topology, unmetNeeds } from '@waybill/topology';
import { toRegistryView } from '../../http/registry-view.js';

type Entry = RegistryList['registries'][number];

/** The registries of a revision, with what is known of each. */
export function toRegistryList(
  { number, topology }: TopologyRevision,
  records: readonly RegistryRecord[],
  newest: ReadonlyMap<string, NewestReport>,
): RegistryList {
  const addresses = new Map(records.map(({ name, address }) => [name, address]));
  return {
    revision: number,
    registries: Object.values(topology.registries).map((registry): Entry => {
      const { name } = registry;
      const found = newest.get(name);
      return {
        ...toRegistryView(registry, addresses.get(name)),
        capabilities: capabilitiesOf(registry, found),
        ...(found === undefined ? {} : { lastCheck: lastCheckOf(topology, name, found) }),
      };
    }),
  };
}

function capabilitiesOf({ capabilities: declared }: Registry, found: NewestReport | undefined): Entry['capabilities'] {
  const effective = effectiveCapabilities(declared, found?.isFresh === true ? found.report.capabilities : undefined);
  return capabilityNames.map((capability) => {
    const value = effective[capability];
    if (value === 'unknown') return { name: capability, value, source: 'nobody' };
    return { name: capability, value: value ? 'yes' : 'no', source: declared?.[capability] === undefined ? 'probed' : 'declared' };
  });
}

function lastCheckOf(topology: Topology, name: string, { checkId, report, isFresh }: NewestReport): NonNullable<Entry['lastCheck']> {
  return { id: checkId, checkedAt: report.checkedAt, used: isFresh, unmet: [...unmetNeeds(topology, name, report)] };
}
