import type { Tables } from '../database.js';
import type { Place } from './load-manifests.js';

/** Earlier digests of one tag that are of interest: policies ask for the last few. */
const maxHistory = 100;

/** What tags of a repository named before. */
export interface TagPasts {
  /** By tag, the latest digest first; what it names now is not among them. */
  readonly history: ReadonlyMap<string, readonly string[]>;
  /** When a user's tag left a digest last, in milliseconds since 1970. */
  readonly untaggedAt: ReadonlyMap<string, number>;
}

/** Only what a tag has left is read: most tags are written once. */
export async function loadTagPasts(tables: Tables, { registryId, repository, repositoryId }: Place): Promise<TagPasts> {
  const rows = await tables.$queryRaw<PastRow[]>`
    SELECT e.tag, digest_text(e.digest) AS digest, e.left_at AS "leftAt", is_reserved_tag(e.tag) AS "isReserved", digest_text(t.digest) AS current
    FROM (
      SELECT tag, digest, id, lead(digest) OVER events AS next, lead(observed_at) OVER events AS left_at
      FROM tag_event WHERE registry_id = ${registryId}::uuid AND repository = ${repository}
      WINDOW events AS (PARTITION BY tag ORDER BY id)
    ) e LEFT JOIN tag t ON t.repository_id = ${repositoryId} AND t.name = e.tag AND t.gone_at IS NULL
    WHERE e.digest IS NOT NULL AND e.left_at IS NOT NULL AND e.digest IS DISTINCT FROM e.next
    ORDER BY e.tag, e.id DESC`;
  const history = new Map<string, string[]>();
  const untaggedAt = new Map<string, number>();
  for (const { tag, digest, leftAt, isReserved, current } of rows) {
    if (!isReserved) untaggedAt.set(digest, Math.max(untaggedAt.get(digest) ?? 0, leftAt.getTime()));
    if (current === null || digest === current) continue;
    const before = history.get(tag) ?? [];
    if (before.length < maxHistory && !before.includes(digest)) history.set(tag, [...before, digest]);
  }
  return { history, untaggedAt };
}

interface PastRow {
  readonly tag: string;
  readonly digest: string;
  readonly leftAt: Date;
  readonly isReserved: boolean;
  /** What the tag names now; null when it is gone. */
  readonly current: string | null;
}
