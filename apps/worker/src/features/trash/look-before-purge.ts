import { setMaxListeners } from 'node:events';
import { type LookEnd, lookAtRepository, type RepositoryRecords } from '@waybill/inventory';
import type { RepositoryName } from '@waybill/oci-model';
import type { TrashRequestLease } from '@waybill/persistence';
import type { OpenedTrash } from '../../infrastructure/trash/trash-clients.js';

/** Where a look at a repository is written, under the lease of a purge; `onEnd` is told how it ended. */
export type LookRecordsOf = (
  lease: TrashRequestLease,
  options: { readonly repository: RepositoryName; readonly onEnd: (end: LookEnd) => void },
) => Promise<RepositoryRecords>;

export interface LookBeforePurgeOptions {
  readonly lease: TrashRequestLease;
  readonly repository: RepositoryName;
  readonly opened: OpenedTrash;
  readonly lookRecordsOf: LookRecordsOf;
}

/** Reads all of a repository, as a full crawl does; false where not all of it could be read, or it looks gone. */
export async function lookBeforePurge(
  { lease, repository, opened, lookRecordsOf }: LookBeforePurgeOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const ends: LookEnd[] = [];
  const records = await lookRecordsOf(lease, { repository, onEnd: (end) => ends.push(end) });
  const { outcome } = await lookAtRepository(
    {
      ...{ kind: 'full', records, isInCatalogue: undefined, count: () => undefined },
      reader: opened.client.repository(repository),
      mayListReferrers: opened.registry.capabilities?.referrersApi !== false,
    },
    signal,
  );
  const end = ends.at(-1);
  return outcome === 'looked' && end?.state === 'known' && end.isComplete;
}

/** As `look` says, or `late` where it did not end within so many milliseconds, if any are given, and was broken off. */
export async function lookInTime(
  look: (signal: AbortSignal) => Promise<boolean>,
  lookMs: number | undefined,
  signal: AbortSignal,
): Promise<'read' | 'unread' | 'late'> {
  const read = async (until: AbortSignal) => ((await look(until)) ? 'read' : 'unread');
  if (lookMs === undefined) return read(signal);
  const late = AbortSignal.timeout(lookMs);
  const until = AbortSignal.any([signal, late]);
  setMaxListeners(0, until); // each of the many small reads listens to it
  try {
    return await read(until);
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted) return 'late';
    throw error;
  }
}
