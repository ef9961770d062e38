import { ContentError, type Digest, type RepositoryName } from '@waybill/oci-model';
import type { PurgeRecords } from '@waybill/persistence';
import { TrashError } from '@waybill/retention';
import type { OpenedTrash } from '../../infrastructure/trash/trash-clients.js';
import { lookInTime } from './look-before-purge.js';
import { requireOurs } from './request-attempt.js';
import { whatGoesWith } from './what-goes-with.js';

export interface PurgeRepositoryOptions {
  readonly opened: OpenedTrash;
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly records: Pick<PurgeRecords, 'open' | 'intend' | 'awaiting' | 'emptyTrash' | 'settle'>;
  /** Reads all of the repository into the inventory; false where not all of it could be read. */
  readonly look: (signal: AbortSignal) => Promise<boolean>;
  /** How long the manifest waits for that, in milliseconds; without it until it has ended. */
  readonly lookMs: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Deletes a manifest from a repository and its trash at once: first itself, then what only it lists, then what refers to any of that.
 * All of the repository is looked at before, since a purge has no undo and what somebody pushed just now may need the same manifests.
 * `late` where that takes longer than `lookMs`: then the manifest itself is deleted, and the rest waits for the next call.
 * What is to go is written down before the first deletion, so that whoever takes over finds it when nothing at the registry tells.
 * Rejects with TrashError `in-promotion`, `held`, `listed-elsewhere`, `being-restored` where nothing may be deleted, with
 * `repository-unread` where the manifest is deleted and nobody can tell what goes with it, and with ContentError where the registry
 * does not do it.
 */
export async function purgeRepository(options: PurgeRepositoryOptions): Promise<'purged' | 'late'> {
  const { opened, repository, digest, records, look, lookMs, signal } = options;
  const begun = await readBack(options, await records.open());
  const found = await whatGoesWith(opened.client.repository(repository), digest, signal);
  const rest = [...new Set([...found, ...begun])].filter((one) => one !== digest);
  const looked = found.length === 0 && rest.length === 0 ? 'read' : await lookInTime(look, lookMs, signal);
  if (looked === 'read') {
    await remove(options, [digest, ...rest]);
    return 'purged';
  }
  if (rest.length > 0) requireOurs(await records.awaiting(rest));
  await remove(options, [digest]);
  if (rest.length === 0) return 'purged';
  if (looked === 'unread') throw unread(repository);
  return 'late';
}

async function remove(options: PurgeRepositoryOptions, digests: readonly Digest[]): Promise<void> {
  const going = await intended(options, digests);
  await emptyTrash(options, going);
  await deleteAll(options, going);
}

/** Settles what is gone by now; gives the rest. */
async function readBack(options: PurgeRepositoryOptions, begun: readonly Digest[]): Promise<readonly Digest[]> {
  const { opened, repository, digest, records, signal } = options;
  const store = opened.client.repository(repository);
  const there: Digest[] = [];
  for (const one of begun) {
    if (one === digest) continue;
    if (await store.hasManifest(one, signal)) there.push(one);
    else requireOurs(await records.settle(one));
  }
  return there;
}

async function deleteAll({ opened, repository, records, signal }: PurgeRepositoryOptions, going: readonly Digest[]): Promise<void> {
  const store = opened.client.repository(repository);
  for (const one of going) {
    await store.deleteManifest(one, signal);
    if (await store.hasManifest(one, signal)) throw stillThere(one);
    requireOurs(await records.settle(one));
  }
}

async function intended({ records, digest, repository }: PurgeRepositoryOptions, digests: readonly Digest[]): Promise<readonly Digest[]> {
  const intent = await records.intend(digest, digests);
  switch (intent.kind) {
    case 'intended':
      return intent.digests;
    case 'needed':
      throw refused('in-promotion', `promotion ${intent.promotion} is under way and needs it`);
    case 'held':
      throw refused('held', `hold ${intent.hold} keeps it, or something that goes with it: release that first`);
    case 'listed':
      throw refused('listed-elsewhere', `${intent.by} in ${repository} lists it: purge that`);
    case 'lost':
      requireOurs(false);
  }
}

async function emptyTrash({ opened, records, signal }: PurgeRepositoryOptions, digests: readonly Digest[]): Promise<void> {
  const emptied = await records.emptyTrash(digests);
  requireOurs(emptied !== 'lost');
  if (emptied === 'being-restored') throw refused('being-restored', 'a restore under way brings some of it back: wait for its end');
  if (emptied.trashRepository === undefined) return;
  const trash = opened.unlisting.repository(emptied.trashRepository);
  for (const digest of emptied.digests) await trash.deleteManifest(digest, signal);
}

function refused(code: 'in-promotion' | 'held' | 'listed-elsewhere' | 'being-restored', message: string): TrashError {
  return new TrashError(message, { code, operation: 'purge' });
}

function unread(repository: RepositoryName): TrashError {
  const message = `not all of ${repository} could be read: nobody can tell what else needs what goes with it`;
  return new TrashError(message, { code: 'repository-unread', operation: 'purge', retryable: true });
}

function stillThere(digest: Digest): ContentError {
  return new ContentError(`the registry says that it has deleted ${digest}, and has it still`, { code: 'unsupported', operation: 'purge' });
}
