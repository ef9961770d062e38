import { ContentError, type Digest, type Manifest, type RepositoryName } from '@waybill/oci-model';
import { CopyError } from '@waybill/oci-copy';
import type { WaybillError } from '@waybill/kernel';
import type { RestorableRow, TagReturn } from '@waybill/persistence';
import { restoreOrder, TrashError } from '@waybill/retention';
import { bringGraph } from '../../infrastructure/trash/bring-graph.js';
import type { OpenedTrash } from '../../infrastructure/trash/trash-clients.js';

export interface RestoreRepositoryOptions {
  readonly opened: OpenedTrash;
  readonly repository: RepositoryName;
  readonly entries: readonly RestorableRow[];
  /** The very bytes that were deleted. */
  readonly manifestOf: (trashId: string) => Promise<Manifest>;
  readonly onBack: (entry: RestorableRow, tags: readonly TagReturn[]) => Promise<void>;
  readonly onTrouble: (entry: RestorableRow, error: WaybillError) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Brings back what was deleted from one repository: children, what lists them, what refers to it, and then the tags.
 * Done again after it broke off it comes to the same end: what is there is left, and a tag that names something else stays.
 */
export async function restoreRepository(options: RestoreRepositoryOptions): Promise<void> {
  const order = restoreOrder(options.entries);
  const lists = order.filter(({ trashRepository }) => trashRepository === undefined);
  const held = order.filter(({ trashRepository }) => trashRepository !== undefined);
  const back: RestorableRow[] = [];
  for (const entry of held) {
    if (await tried(entry, options, () => bringBack(entry, options))) back.push(entry);
  }
  // A list of referrers before these, which would otherwise be listed anew.
  for (const entry of lists) await tried(entry, options, () => putList(entry, options));
  for (const entry of back) await tried(entry, options, () => finish(entry, options));
  for (const entry of lists) await tried(entry, options, async () => options.onBack(entry, await tagsNow(entry, options)));
}

/** One manifest's trouble is its own. */
async function tried(entry: RestorableRow, { onTrouble, signal }: RestoreRepositoryOptions, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ContentError || error instanceof CopyError || error instanceof TrashError)) throw error;
    await onTrouble(entry, error);
    return false;
  }
}

async function bringBack(
  { digest, trashRepository }: RestorableRow,
  { opened, repository, signal }: RestoreRepositoryOptions,
): Promise<void> {
  if (trashRepository === undefined) return;
  await bringGraph(opened, digest, { from: trashRepository, to: repository, tags: [] }, signal);
}

async function finish(entry: RestorableRow, options: RestoreRepositoryOptions): Promise<void> {
  const { opened, repository, manifestOf, onBack, signal } = options;
  const manifest = await manifestOf(entry.trashId);
  if (entry.tags.length > 0) await readBack(entry, options);
  await putTags(manifest, entry, options);
  // Where the registry keeps no list of referrers, and the one that was deleted could not come back, it is listed anew.
  if (entry.refers.length > 0) await opened.client.repository(repository).pushManifest(manifest, signal);
  await onBack(entry, await tagsNow(entry, options));
}

/** What was there and was left may have been deleted since by somebody else: no tag is put on what is not whole. */
async function readBack({ holds }: RestorableRow, { opened, repository, signal }: RestoreRepositoryOptions): Promise<void> {
  const store = opened.unlisting.repository(repository);
  for (const digest of holds) {
    try {
      await store.readManifest(digest, signal);
    } catch (error) {
      if (error instanceof ContentError && error.code === 'not-found') throw goneAgain(digest);
      throw error;
    }
  }
}

/** A list that names what is not there any more is refused: then its referrers are listed anew. */
async function putList(entry: RestorableRow, options: RestoreRepositoryOptions): Promise<void> {
  try {
    await putTags(await options.manifestOf(entry.trashId), entry, options);
  } catch (error) {
    if (!(error instanceof ContentError) || error.code !== 'blob-unknown') throw error;
  }
}

/** Only tags that name nothing are written: what somebody pushed since is newer. */
async function putTags(
  manifest: Manifest,
  { tags }: RestorableRow,
  { opened, repository, signal }: RestoreRepositoryOptions,
): Promise<void> {
  const store = opened.unlisting.repository(repository);
  for (const tag of tags) {
    if ((await store.resolveTag(tag, signal)) === undefined) await store.putTag(tag, manifest, signal);
  }
}

async function tagsNow({ tags, digest }: RestorableRow, options: RestoreRepositoryOptions): Promise<readonly TagReturn[]> {
  const store = options.opened.unlisting.repository(options.repository);
  const returns: TagReturn[] = [];
  for (const tag of tags) {
    const names = await store.resolveTag(tag, options.signal);
    if (names !== undefined) returns.push(names === digest ? { tag, outcome: 'back' } : { tag, outcome: 'moved', names });
  }
  return returns;
}

function goneAgain(digest: Digest): TrashError {
  const facts = { code: 'restore-failed', operation: 'restore', retryable: true } as const;
  return new TrashError(`somebody deleted ${digest} while it was brought back`, facts);
}
