import type { Purge, PurgedManifests, Restore, RestoredManifests, TrashEntry } from '@waybill/contracts/http';
import type { StoredError, TrashItemRow, TrashRequestRow, TrashRow } from '@waybill/persistence';

export function toTrashEntry(row: TrashRow): TrashEntry {
  const { id, registry, repository, digest, mediaType, tags, runId, policy, deletedAt, expiresAt } = row;
  const { wantedBy, restoredAt, restoredBy, emptiedAt } = row;
  return {
    ...{ id, registry, repository, digest, mediaType, tags: [...tags], run: runId, policy },
    ...{ deletedAt: deletedAt.toISOString(), expiresAt: expiresAt.toISOString() },
    ...(wantedBy === null ? {} : { restore: wantedBy }),
    ...(restoredAt === null ? {} : { restoredAt: restoredAt.toISOString() }),
    ...(restoredBy === null ? {} : { restoredBy }),
    ...(emptiedAt === null ? {} : { emptiedAt: emptiedAt.toISOString() }),
  };
}

export function toRestore(row: TrashRequestRow): Restore {
  const { asked, done: restored, failed, open } = row;
  return { ...asked, ...wordsOf(row), restored, failed, open };
}

const states = { pending: 'open', intended: 'open', done: 'restored', failed: 'failed' } as const;

export function toRestoredManifest({ repository, digest, state, tags, error }: TrashItemRow): RestoredManifests['manifests'][number] {
  const named = tags.map((each) => ({ tag: each.tag, outcome: each.outcome, ...(each.outcome === 'moved' ? { names: each.names } : {}) }));
  return { repository, digest, state: states[state], tags: named, ...(error === undefined ? {} : { error: troubleOf(error) }) };
}

export function toPurge(row: TrashRequestRow): Purge {
  const { asked, done: deleted, failed, open } = row;
  const { registry, repository, digest } = asked;
  if (digest === undefined) throw new TypeError('a purge names a digest');
  return { ...{ registry, digest, ...(repository === undefined ? {} : { repository }) }, ...wordsOf(row), deleted, failed, open };
}

const purgeStates = { pending: 'open', intended: 'open', done: 'deleted', failed: 'failed' } as const;

export function toPurgedManifest({ repository, digest, state, error }: TrashItemRow): PurgedManifests['manifests'][number] {
  return { repository, digest, state: purgeStates[state], ...(error === undefined ? {} : { error: troubleOf(error) }) };
}

type Words = Pick<Restore, 'id' | 'reason' | 'requestedBy' | 'requestedAt' | 'state' | 'startedAt' | 'finishedAt' | 'error'>;

/** What restores and purges have in common. */
function wordsOf({ id, reason, requestedBy, requestedAt, state, startedAt, finishedAt, error }: TrashRequestRow): Words {
  return {
    ...{ id, reason, requestedBy, requestedAt: requestedAt.toISOString(), state },
    ...(startedAt === null ? {} : { startedAt: startedAt.toISOString() }),
    ...(finishedAt === null ? {} : { finishedAt: finishedAt.toISOString() }),
    ...(error === null ? {} : { error: troubleOf(error) }),
  };
}

function troubleOf({ code, message }: StoredError): { readonly code: string; readonly message: string } {
  return { code, message };
}
