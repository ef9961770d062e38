import type { ContentReader, ContentStore, Digest, RepositoryName, Tag, TagStore } from '@waybill/oci-model';
import type { CopyError } from '../copy-error.js';
import { invalidArguments } from '../copy-error.js';
import { type CopyOptions, type Settings, settingsOf } from '../options.js';
import type { TargetReport, UnlistedSubject } from '../report.js';

/** A repository to read from; also asked for referrers when it is a `ReferrerLister`. */
export type SyncSource = ContentReader & Pick<TagStore, 'resolveTag' | 'listTags'>;

/** A repository that is to hold the same tags. */
export interface SyncTarget {
  /** Unique in the call; names the target in reports, hooks and errors. */
  readonly id: string;
  readonly store: ContentStore;
  /** Repositories of the same origin, by their names there, that may hold the blobs, likeliest first; at most three are asked. */
  readonly mountFrom?: readonly RepositoryName[];
}

export interface SyncOptions extends Omit<CopyOptions, 'onSettled'> {
  /** Which tags to bring; default all. Reserved tags are never asked for: they come as referrers, or not at all. */
  readonly tags?: (tag: Tag) => boolean;
  /** May a tag of the target not be moved once it names something? Default: all may. Reserved tags are never asked for. */
  readonly isImmutable?: (tag: Tag, target: string) => boolean;
  /**
   * What is done where a tag names the same at both ends: `skip` believes it, at one HEAD on each side;
   * `referrers` looks at the source for what refers to it, and whether the target has that (the default when referrers
   * are asked for); `check` copies it as if the tag were new, which repairs what is missing beneath.
   */
  readonly unchanged?: 'skip' | 'referrers' | 'check';
  /** Roots under way at a time, each with as many tags as name it; default 4. */
  readonly rootsInParallel?: number;
  /** Tags that are chosen at the source; more end the call with `too-many-tags`. Default 100 000. */
  readonly maxTags?: number;
  /**
   * Told what became of each tag at each target, as it is known; awaited, and nothing of it is kept.
   * One that rejects makes a failure of what it was told. What was cancelled before it began is only counted.
   */
  readonly onTag?: (report: TagReport) => Promise<void> | void;
}

export type TagOutcome =
  /** `unchanged`: the tag named the source's digest before; `copied`: it was written. */
  | { readonly outcome: 'unchanged' | 'copied' }
  /** `conflict`: the tag may not be moved; `failed`: the first error; `cancelled`: unfinished when the caller's signal came. */
  | { readonly outcome: 'conflict' | 'failed' | 'cancelled'; readonly error: CopyError };

/** What became of one tag at one target. */
export type TagReport = TagOutcome & {
  readonly tag: Tag;
  readonly target: string;
  /** What the tag names at the source; absent when that could not be read. */
  readonly digest?: Digest;
  /** What it named at the target before; absent when nothing, or when that could not be read. */
  readonly before?: Digest;
  /** What was done at the target for this digest, once for all tags that name it; absent when nothing was. */
  readonly copy?: TargetReport;
  /** Manifests whose referrers could not be listed at the source. */
  readonly unlisted: readonly UnlistedSubject[];
};

/** What was done at one target, for all tags. */
export interface SyncCounts {
  readonly unchanged: number;
  readonly copied: number;
  readonly conflict: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly bytesCopied: number;
  readonly bytesMounted: number;
  /** Referrers that did not arrive, or stand against something else. */
  readonly referrersLeft: number;
}

export interface SyncReport {
  /** Tags that were chosen. */
  readonly tags: number;
  /** By target id, in the order of the call. */
  readonly targets: ReadonlyMap<string, SyncCounts>;
}

/** Options with the defaults filled in. */
export interface SyncSettings extends Required<
  Pick<SyncOptions, 'tags' | 'isImmutable' | 'unchanged' | 'rootsInParallel' | 'maxTags' | 'onTag'>
> {
  readonly copy: Settings;
}

/**
 * Fills the defaults in.
 * @throws CopyError `arguments-invalid`
 */
export function syncSettingsOf(options: SyncOptions): SyncSettings {
  const copy = settingsOf(options);
  const { rootsInParallel = 4, maxTags = 100_000 } = options;
  for (const [name, value] of Object.entries({ rootsInParallel, maxTags })) {
    if (!Number.isInteger(value) || value < 1) throw invalidArguments(`${name} must be a positive integer`);
  }
  return {
    tags: options.tags ?? (() => true),
    isImmutable: options.isImmutable ?? (() => false),
    unchanged: options.unchanged ?? (copy.referrers === 'none' ? 'skip' : 'referrers'),
    onTag: options.onTag ?? (() => undefined),
    rootsInParallel,
    maxTags,
    // Each root has a memory of its own.
    copy: { ...copy, manifestCacheBytes: Math.floor(copy.manifestCacheBytes / rootsInParallel) },
  };
}
