import type { RegistryList } from '@waybill/contracts/http';
import { capabilityNames } from '@waybill/oci-model';
import type { NewestReport, RegistryRecord, TopologyRevision } from '@waybill/persistence';
import { type Registry, type Topology, unmetNeeds, withProbedCapabilities } from '@waybill/topology';

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
      const { name, role, location, of } = registry;
      const url = registry.url ?? addresses.get(name);
      const found = newest.get(name);
      return {
        name,
        role,
        local: registry.local !== undefined,
        ...(location === undefined ? {} : { location }),
        ...(url === undefined ? {} : { url }),
        ...(of === undefined ? {} : { of }),
        capabilities: capabilitiesOf(topology, registry, found),
        ...(found === undefined ? {} : { lastCheck: lastCheckOf(topology, name, found) }),
      };
    }),
  };
}

function capabilitiesOf(
  topology: Topology,
  { name, capabilities: declared }: Registry,
  found: NewestReport | undefined,
): Entry['capabilities'] {
  const probed = found?.isFresh === true ? new Map([[name, found.report.capabilities]]) : new Map<string, never>();
  const effective = withProbedCapabilities(topology, probed).registries[name]?.capabilities;
  return capabilityNames.map((capability) => {
    const value = effective?.[capability] ?? 'unknown';
    if (value === 'unknown') return { name: capability, value, source: 'nobody' };
    return { name: capability, value: value ? 'yes' : 'no', source: declared?.[capability] === undefined ? 'probed' : 'declared' };
  });
}

function lastCheckOf(topology: Topology, name: string, { checkId, report, isFresh }: NewestReport): NonNullable<Entry['lastCheck']> {
  return { id: checkId, checkedAt: report.checkedAt, used: isFresh, unmet: [...unmetNeeds(topology, name, report)] };
}
