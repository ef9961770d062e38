import type { InUseReporter, ReportInUse } from '@waybill/contracts/http';
import type { InUseReport, InUseReporterRow } from '@waybill/persistence';
import { parseDuration } from '@waybill/topology';

export function toInUseReporter(row: InUseReporterRow): InUseReporter {
  const { name, kind, principalId, registries, repositories, everyMs, digests, since, lastReportAt } = row;
  const { retiredAt, retiredBy, retireReason } = row;
  return {
    ...{ name, kind, principal: principalId, covers: { registries: [...registries], repositories: [...repositories] } },
    ...{ everySeconds: Math.ceil(everyMs / 1_000), state: stateOf(row), digests },
    ...{ since: since.toISOString(), lastReportAt: lastReportAt.toISOString() },
    ...(retiredAt === null ? {} : { retiredAt: retiredAt.toISOString() }),
    ...(retiredBy === null ? {} : { retiredBy }),
    ...(retireReason === null ? {} : { retireReason }),
  };
}

function stateOf({ retiredAt, isSilent }: InUseReporterRow): InUseReporter['state'] {
  if (retiredAt !== null) return 'retired';
  return isSilent ? 'silent' : 'reporting';
}

export function toReport({ reporter, kind, covers, every, digests }: ReportInUse, by: string): InUseReport {
  const everyMs = parseDuration(every);
  if (everyMs === undefined) throw new TypeError(`the schema let ${every} through as a duration`);
  return {
    ...{ reporter, kind, by, covers, everyMs },
    digests: digests.map(({ digest, registry, repository }) => ({
      digest,
      ...(registry === undefined ? {} : { registry }),
      ...(repository === undefined ? {} : { repository }),
    })),
  };
}
