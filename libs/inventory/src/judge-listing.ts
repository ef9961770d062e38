import type { Digest, Tag } from '@waybill/oci-model';

/** How much a crawl looks at. */
export type CrawlKind = 'quick' | 'full';

/** A tag as it was seen last. */
export interface KnownTag {
  readonly name: Tag;
  readonly digest: Digest;
  /** Since when a list that was not believed has lacked it. */
  readonly missingSince: Date | undefined;
}

/** What a complete list says of the tags that were known. */
export interface ListingJudgement {
  /** `suspect`: too much is missing at once to be believed from one list. */
  readonly verdict: 'believed' | 'suspect';
  /** Listed, and not known. */
  readonly added: readonly Tag[];
  /** Gone for good. */
  readonly gone: readonly Tag[];
  /** Not listed, and kept until a later full crawl says the same. */
  readonly missing: readonly Tag[];
  /** Listed again after they were missing. */
  readonly back: readonly Tag[];
}

/**
 * From how many tags on a loss can be too large. Below that a hand or a cleanup easily removes most of them, and what a
 * wrong answer could cost is small.
 */
export const smallestSuspectLoss = 11;
/** A list that lacks more than this part of what was known is more often a broken answer than a cleanup. */
export const suspectLossShare = 0.5;
/** Longer than a registry needs to be restarted, restored or moved, in milliseconds. */
export const confirmAfterMs = 60 * 60 * 1_000;

export interface ListingSeen {
  readonly kind: CrawlKind;
  readonly known: readonly KnownTag[];
  readonly listed: ReadonlySet<string>;
  /** When the list was asked for. */
  readonly askedAt: Date;
}

/**
 * What a complete list changes. A loss of more than half of the known tags and more than ten is not believed:
 * those tags are missing until a full crawl at least an hour later lacks them too.
 */
export function judgeListing({ kind, known, listed, askedAt }: ListingSeen): ListingJudgement {
  const names = new Set<string>(known.map(({ name }) => name));
  const added = [...listed].filter((name) => !names.has(name)) as Tag[];
  const back = known.filter(({ name, missingSince }) => missingSince !== undefined && listed.has(name)).map(({ name }) => name);
  const absent = known.filter(({ name }) => !listed.has(name));
  const confirmed = absent.filter(({ missingSince }) => kind === 'full' && isLongAgo(missingSince, askedAt));
  const unconfirmed = absent.length - confirmed.length;
  const isSuspect = unconfirmed >= smallestSuspectLoss && unconfirmed > known.length * suspectLossShare;
  const gone = isSuspect ? confirmed : absent;
  const isGone = new Set<string>(gone.map(({ name }) => name));
  const missing = absent.filter(({ name }) => !isGone.has(name));
  return { verdict: isSuspect ? 'suspect' : 'believed', added, gone: gone.map(nameOf), missing: missing.map(nameOf), back };
}

/** Whether what was said first at `since` may be believed when it is said again now. */
export function isLongAgo(since: Date | undefined, now: Date): boolean {
  return since !== undefined && now.getTime() - since.getTime() >= confirmAfterMs;
}

function nameOf({ name }: KnownTag): Tag {
  return name;
}
