import type { Tables } from '../database.js';
import type { Places } from './load-manifests.js';

/** Earlier digests of one tag that are of interest: policies ask for the last few. */
const maxHistory = 100;

/** What tags of a repository named before. */
export interface TagPasts {
  /** By tag, the latest digest first; what it names now is not among them. */
  readonly history: Map<string, string[]>;
  /** When a user's tag left a digest last, in milliseconds since 1970. */
  readonly untaggedAt: Map<string, number>;
}

/** By repository. Only what a tag has left is read: most tags are written once. */
export async function loadTagPasts(tables: Tables, { registryId, repositories }: Places): Promise<ReadonlyMap<string, TagPasts>> {
  const rows = await tables.$queryRaw<PastRow[]>`
    SELECT e.repository, e.tag, digest_text(e.digest) AS digest, e.left_at AS "leftAt", is_reserved_tag(e.tag) AS "isReserved",
      digest_text(t.digest) AS current
    FROM (
      SELECT repository, tag, digest, id, lead(digest) OVER events AS next, lead(observed_at) OVER events AS left_at
      FROM tag_event WHERE registry_id = ${registryId}::uuid AND repository = ANY(${[...repositories]}::text[])
      WINDOW events AS (PARTITION BY repository, tag ORDER BY id)
    ) e JOIN repository r ON r.registry_id = ${registryId}::uuid AND r.name = e.repository
      LEFT JOIN tag t ON t.repository_id = r.id AND t.name = e.tag AND t.gone_at IS NULL
    WHERE e.digest IS NOT NULL AND e.left_at IS NOT NULL AND e.digest IS DISTINCT FROM e.next
    ORDER BY e.repository, e.tag, e.id DESC`;
  const pasts = new Map<string, TagPasts>();
  for (const row of rows) {
    const past = pasts.get(row.repository) ?? { history: new Map(), untaggedAt: new Map() };
    pasts.set(row.repository, past);
    note(past, row);
  }
  return pasts;
}

function note({ history, untaggedAt }: TagPasts, { tag, digest, leftAt, isReserved, current }: PastRow): void {
  if (!isReserved) untaggedAt.set(digest, Math.max(untaggedAt.get(digest) ?? 0, leftAt.getTime()));
  if (current === null || digest === current) return;
  const before = history.get(tag) ?? [];
  history.set(tag, before);
  if (before.length < maxHistory && !before.includes(digest)) before.push(digest);
}

interface PastRow {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly leftAt: Date;
  readonly isReserved: boolean;
  /** What the tag names now; null when it is gone. */
  readonly current: string | null;
}
