import type { Digest, Tag } from '@waybill/oci-model';
import pLimit from 'p-limit';
import { LinkedAbort } from '../linked-abort.js';
import { checkTargets } from '../options.js';
import { CopySession } from '../session.js';
import { listSource } from './list-source.js';
import { SourceTags } from './source-tags.js';
import { type SyncOptions, type SyncReport, type SyncSettings, type SyncSource, syncSettingsOf, type SyncTarget } from './sync-options.js';
import { syncRoot } from './sync-root.js';
import { SyncTotals } from './sync-totals.js';
import { SyncedTarget } from './synced-target.js';

/**
 * Brings the tags of one repository, with all that they name, to several targets. Tags are compared first; what
 * differs is copied as `copyGraph` does, each digest once for all tags that name it and each blob once for all
 * digests. A tag that is not at the source is left alone: nothing is ever deleted.
 * One bad tag or target never stops the others: what became of each is told to `onTag`, and counted.
 *
 * Rejects with CopyError only when nothing could begin: `arguments-invalid`, `too-many-tags`, `aborted`, or a
 * `source-…` code when the source's tags cannot be listed. Nothing runs on after it has settled.
 */
export async function syncRepository(source: SyncSource, targets: readonly SyncTarget[], options: SyncOptions = {}): Promise<SyncReport> {
  checkTargets(targets);
  const caller = new LinkedAbort(options.signal);
  try {
    return await syncAll(source, targets, syncSettingsOf({ ...options, signal: caller.signal }));
  } finally {
    caller.release();
  }
}

async function syncAll(source: SyncSource, targets: readonly SyncTarget[], settings: SyncSettings): Promise<SyncReport> {
  const { chosen, cosign } = await listSource(source, settings);
  const session = new CopySession(source, settings.copy, cosign);
  const totals = new SyncTotals(targets, settings.onTag);
  const synced = targets.map((target) => new SyncedTarget(target, session));
  const roots = pLimit(settings.rootsInParallel);
  const context = { session, settings, totals, targets: synced };

  const groups = await groupByDigest(chosen, new SourceTags(source, session), totals);
  const sync = async (root: Digest, tags: readonly Tag[]) => {
    // What has not begun when the caller cancels is counted, and not told one by one.
    if (settings.copy.signal.aborted) totals.leave(tags.length);
    else await syncRoot(root, tags, context);
  };
  await Promise.all([...groups].map(([root, tags]) => roots(() => sync(root, tags))));
  return { tags: chosen.length, targets: totals.counts() };
}

/** Which tags name the same digest; those that name none are told of at once. */
async function groupByDigest(tags: readonly Tag[], source: SourceTags, totals: SyncTotals): Promise<ReadonlyMap<Digest, readonly Tag[]>> {
  const groups = new Map<Digest, Tag[]>();
  const tagsOf = (digest: Digest) => {
    const known = groups.get(digest) ?? [];
    groups.set(digest, known);
    return known;
  };
  const resolve = async (tag: Tag) => {
    const resolved = await source.resolve(tag);
    if ('digest' in resolved) tagsOf(resolved.digest).push(tag);
    else if (resolved.error.code === 'aborted') totals.leave(1);
    else await totals.failedAtSource(tag, resolved.error);
  };
  await Promise.all(tags.map(resolve));
  return groups;
}
