import type { ActiveTopology } from '@waybill/contracts/http';
import type { Registry } from '@waybill/topology';

/** A registry as every answer shows it; `address` is where a local one listens now. */
export function toRegistryView(registry: Registry, address: string | undefined): ActiveTopology['registries'][number] {
  const { name, role, location, of, local } = registry;
  const url = registry.url ?? address;
  return {
    name,
    role,
    local: local !== undefined,
    ...(location === undefined ? {} : { location }),
    ...(url === undefined ? {} : { url }),
    ...(of === undefined ? {} : { of }),
  };
}
