import type { RegistryCheck, RegistryReport } from '@waybill/contracts/http';
import type { CheckedRegistryRow, RegistryCheckRow } from '@waybill/persistence';
import { type Topology, unmetNeeds } from '@waybill/topology';

const states = { queued: 'queued', leased: 'running', finished: 'finished' } as const;

/** `topology` is that of the check's revision. */
export function toRegistryCheck(row: RegistryCheckRow, topology: Topology): RegistryCheck {
  return {
    id: row.id,
    revision: row.revision,
    requestedBy: row.requestedBy,
    requestedAt: row.requestedAt.toISOString(),
    finished: row.registries.every(({ state }) => state === 'finished'),
    registries: row.registries.map((registry) => toChecked(registry, topology)),
  };
}

function toChecked({ name, location, state, report, error }: CheckedRegistryRow, topology: Topology): RegistryCheck['registries'][number] {
  return {
    name,
    location,
    state: states[state],
    ...(report === undefined ? {} : { report: toReport(report) }),
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
    ...(state === 'finished' ? { unmet: [...unmetNeeds(topology, name, report)] } : {}),
  };
}

function toReport({ probes, leftBehind, ...rest }: NonNullable<CheckedRegistryRow['report']>): RegistryReport {
  return {
    ...rest,
    probes: probes.map((probe) => ({ ...probe })),
    ...(leftBehind === undefined ? {} : { leftBehind: { ...leftBehind, repositories: [...leftBehind.repositories] } }),
  };
}
