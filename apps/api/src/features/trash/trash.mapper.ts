import type { Restore, RestoredManifests, TrashEntry } from '@waybill/contracts/http';
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
  const { id, asked, reason, requestedBy, requestedAt, state, done, failed, open, startedAt, finishedAt, error } = row;
  return {
    ...{ id, ...asked, reason, requestedBy, requestedAt: requestedAt.toISOString(), state, restored: done, failed, open },
    ...(startedAt === null ? {} : { startedAt: startedAt.toISOString() }),
    ...(finishedAt === null ? {} : { finishedAt: finishedAt.toISOString() }),
    ...(error === null ? {} : { error: troubleOf(error) }),
  };
}

const states = { pending: 'open', intended: 'open', done: 'restored', failed: 'failed' } as const;

export function toRestoredManifest({ repository, digest, state, tags, error }: TrashItemRow): RestoredManifests['manifests'][number] {
  const named = tags.map((each) => ({ tag: each.tag, outcome: each.outcome, ...(each.outcome === 'moved' ? { names: each.names } : {}) }));
  return { repository, digest, state: states[state], tags: named, ...(error === undefined ? {} : { error: troubleOf(error) }) };
}

function troubleOf({ code, message }: StoredError): { readonly code: string; readonly message: string } {
  return { code, message };
}
