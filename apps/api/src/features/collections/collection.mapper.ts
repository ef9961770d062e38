import type { Collection } from '@waybill/contracts/http';
import type { CollectionRow } from '@waybill/persistence';

export function toCollection(row: CollectionRow): Collection {
  const { id, registry, state, isDryRun, reason, requestedBy, bytesBefore, bytesAfter, blobs, epoch, log, error } = row;
  return {
    id,
    registry,
    state,
    dryRun: isDryRun,
    reason,
    requestedBy,
    requestedAt: row.requestedAt.toISOString(),
    ...timesOf(row),
    ...(bytesBefore === undefined ? {} : { bytesBefore }),
    ...(bytesAfter === undefined ? {} : { bytesAfter }),
    ...(bytesBefore === undefined || bytesAfter === undefined ? {} : { reclaimedBytes: bytesBefore - bytesAfter }),
    ...(blobs === undefined ? {} : { blobs }),
    ...(epoch === undefined ? {} : { epoch }),
    ...(log === undefined || log === '' ? {} : { log }),
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
  };
}

function timesOf({ startedAt, drainUntil, finishedAt }: CollectionRow): Pick<Collection, 'startedAt' | 'drainUntil' | 'finishedAt'> {
  return {
    ...(startedAt === undefined ? {} : { startedAt: startedAt.toISOString() }),
    ...(drainUntil === undefined ? {} : { drainUntil: drainUntil.toISOString() }),
    ...(finishedAt === undefined ? {} : { finishedAt: finishedAt.toISOString() }),
  };
}
