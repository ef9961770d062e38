import { ContentError, type RegistryReport } from '@waybill/oci-model';
import { readOnlyBecause, type Registry } from '@waybill/topology';
import type { RegistryClients } from './registry-clients.js';

/** How one registry is checked. */
export interface CheckRegistryOptions {
  /** Where a local registry listens. */
  readonly address?: string | undefined;
  /** An earlier check could not remove all that it wrote. */
  readonly leavesBehind?: boolean;
  readonly probeMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Probes a registry with the credentials that the topology names: for reading only where its role or its
 * credentials allow no more, and the report says why.
 * @throws ContentError `aborted`, and those of `RegistryClients.open` when not even reading can be tried
 */
export async function checkRegistry(
  clients: RegistryClients,
  registry: Registry,
  options: CheckRegistryOptions = {},
): Promise<RegistryReport> {
  const { address, ...asked } = options;
  const because = readOnlyBecause(registry) ?? whyNotWriting(clients, registry, address);
  const client = clients.open(registry, address, because === undefined ? 'write' : 'read');
  return await client.check({ ...asked, ...(because === undefined ? {} : { readOnlyBecause: because }) });
}

/** A secret for writing that cannot be had leaves reading to be looked at. */
function whyNotWriting(clients: RegistryClients, registry: Registry, address: string | undefined): string | undefined {
  try {
    clients.open(registry, address, 'write');
    return undefined;
  } catch (error) {
    if (error instanceof ContentError && error.code === 'unauthorized') return error.message;
    throw error;
  }
}
