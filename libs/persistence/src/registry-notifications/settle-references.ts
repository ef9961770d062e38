import { type Digest, digestToBytes, isDigest, type Tag } from '@waybill/oci-model';
import type { Database, Tables } from '../database.js';
import type { ClaimedHints, FoundReferences, Hint } from './notification-hints.js';
import type { ReferencesAt } from './reference-records.js';

/** Of one mark. */
const maxToldTags = 100;

export interface SettledReferences {
  readonly claimed: ClaimedHints;
  readonly at: ReferencesAt;
  readonly found: FoundReferences;
}

/**
 * Writes what a registry said of the tags and digests that it had told of. A tag is gone only where that was told as well, of itself
 * or of what it named: that something cannot be found says too little.
 */
export async function settleReferences(database: Database, { claimed, at, found }: SettledReferences): Promise<void> {
  const gone = [...found.digests].flatMap(([digest, isThere]) => (isThere ? [] : [digest]));
  await database.transaction((tables) => settleTags(tables, at, { tagged: presentTags(found), gone: goneTags(claimed, found) }));
  for (const digest of gone) {
    if (wasDeleted(claimed, digest)) await closePlace(database.tables, at, digest);
    await forgetUnreadable(database.tables, at, digest);
  }
  for (const push of lostPushes(claimed, found)) await noteLostPush(database.tables, at, push);
  for (const hint of claimed.hints) {
    const digest = isDigest(hint.reference) ? hint.reference : found.tags.get(hint.reference as Tag);
    if (digest !== undefined && found.digests.get(digest) !== false) await noteTimes(database.tables, { at, digest, hint });
  }
}

function presentTags({ tags }: FoundReferences): readonly [Tag, Digest][] {
  return [...tags].flatMap(([tag, digest]): [Tag, Digest][] => (digest === undefined ? [] : [[tag, digest]])).sort();
}

/** Those that nobody hinted at were asked about because what they named is said to be gone. */
function goneTags({ hints }: ClaimedHints, { tags }: FoundReferences): readonly Tag[] {
  const hinted = new Map(hints.map((hint) => [hint.reference, hint]));
  const absent = [...tags].flatMap(([tag, digest]) => (digest === undefined ? [tag] : []));
  return absent.filter((tag) => !hinted.has(tag) || hinted.get(tag)?.deletedAt !== undefined).sort();
}

interface ToldPush {
  readonly tag: string;
  readonly digest: Digest;
  readonly pushedAt: Date;
}

/** Tags that were told to be pushed, and name nothing; not those of which it was told as well that somebody removed them. */
function lostPushes({ hints }: ClaimedHints, { tags }: FoundReferences): readonly ToldPush[] {
  return hints.flatMap(({ reference: tag, digest, pushedAt, deletedAt }) => {
    const isAbsent = tags.has(tag as Tag) && tags.get(tag as Tag) === undefined;
    if (!isAbsent || digest === undefined || pushedAt === undefined || (deletedAt !== undefined && deletedAt >= pushedAt)) return [];
    return [{ tag, digest, pushedAt }];
  });
}

/** The run that deletes what it was pushed on, or has deleted it, is to bring it back: its mark says so. */
async function noteLostPush(tables: Tables, { registryId, repository }: ReferencesAt, { tag, digest, pushedAt }: ToldPush): Promise<void> {
  await tables.$executeRaw`
    UPDATE retention_mark m SET told_tags = m.told_tags || ${tag}::text
    FROM retention_run_repository y
    WHERE m.registry_id = ${registryId}::uuid AND m.repository = ${repository} AND m.digest = ${digestToBytes(digest)}
      AND m.state IN ('deleting', 'deleted') AND y.run_id = m.run_id AND y.repository = m.repository AND y.deleting_at <= ${pushedAt}::timestamptz
      AND NOT m.told_tags @> ARRAY[${tag}]::text[] AND cardinality(m.told_tags) < ${maxToldTags}`;
}

function wasDeleted({ hints }: ClaimedHints, digest: Digest): boolean {
  return hints.some(({ reference, deletedAt }) => reference === digest && deletedAt !== undefined);
}

interface TagsSeen {
  readonly tagged: readonly [Tag, Digest][];
  readonly gone: readonly Tag[];
}

/** As events, of which a trigger makes the tags. What has changed since the registry was asked is newer than what it said. */
async function settleTags(tables: Tables, at: ReferencesAt, { tagged, gone }: TagsSeen): Promise<void> {
  const { registryId, repository, repositoryId, askedAt } = at;
  const names = [...tagged.map(([tag]) => tag), ...gone];
  if (names.length === 0) return;
  await tables.$executeRaw`
    SELECT 1 FROM tag WHERE repository_id = ${repositoryId} AND name = ANY(${names}::text[]) ORDER BY name FOR NO KEY UPDATE`;
  await tables.$executeRaw`
    INSERT INTO tag_event (registry_id, repository, tag, digest, previous_digest, source, observed_at)
    SELECT ${registryId}::uuid, ${repository}, s.name, s.digest, CASE WHEN t.gone_at IS NULL THEN t.digest END, 'notification', ${askedAt}::timestamptz
    FROM unnest(${tagged.map(([tag]) => tag)}::text[], ${tagged.map(([, digest]) => digestToBytes(digest))}::bytea[]) AS s (name, digest)
      LEFT JOIN tag t ON t.repository_id = ${repositoryId} AND t.name = s.name
    WHERE t.name IS NULL OR (greatest(t.tagged_at, t.gone_at) <= ${askedAt}::timestamptz AND (t.gone_at IS NOT NULL OR t.digest <> s.digest))
    ORDER BY s.name`;
  await tables.$executeRaw`
    INSERT INTO tag_event (registry_id, repository, tag, digest, previous_digest, source, observed_at)
    SELECT ${registryId}::uuid, ${repository}, t.name, NULL, t.digest, 'notification', ${askedAt}::timestamptz
    FROM tag t WHERE t.repository_id = ${repositoryId} AND t.name = ANY(${[...gone]}::text[]) AND t.gone_at IS NULL AND t.tagged_at <= ${askedAt}::timestamptz
    ORDER BY t.name`;
}

async function closePlace(tables: Tables, { registryId, repository, askedAt }: ReferencesAt, digest: Digest): Promise<void> {
  await tables.$executeRaw`
    UPDATE placement SET seen_until = now()
    WHERE registry_id = ${registryId}::uuid AND repository = ${repository} AND digest = ${digestToBytes(digest)} AND seen_until IS NULL
      AND seen_from <= ${askedAt}::timestamptz`;
}

/** What is not there and nothing names was not unreadable. */
async function forgetUnreadable(tables: Tables, { registryId, repository, repositoryId }: ReferencesAt, digest: Digest): Promise<void> {
  await tables.$executeRaw`
    DELETE FROM unreadable_manifest u
    WHERE u.repository_id = ${repositoryId} AND u.digest = ${digestToBytes(digest)}
      AND NOT EXISTS (SELECT 1 FROM tag t WHERE t.repository_id = ${repositoryId} AND t.digest = u.digest AND t.gone_at IS NULL)
      AND NOT EXISTS (
        SELECT 1 FROM content_edge e JOIN placement p ON p.digest = e.parent
        WHERE e.child = u.digest AND p.registry_id = ${registryId}::uuid AND p.repository = ${repository} AND p.seen_until IS NULL)`;
}

/** Later than it was known before, or not at all. */
async function noteTimes(
  tables: Tables,
  { at, digest, hint }: { readonly at: ReferencesAt; readonly digest: Digest; readonly hint: Hint },
): Promise<void> {
  const { pushedAt = null, pulledAt = null } = hint;
  if (pushedAt === null && pulledAt === null) return;
  await tables.$executeRaw`
    UPDATE placement p SET last_pulled_at = greatest(p.last_pulled_at, ${pulledAt}::timestamptz),
      pushed_at = greatest(p.pushed_at, ${pushedAt}::timestamptz),
      pushed_at_source = CASE WHEN ${pushedAt}::timestamptz > coalesce(p.pushed_at, '-infinity') THEN 'notification' ELSE p.pushed_at_source END
    WHERE p.registry_id = ${at.registryId}::uuid AND p.repository = ${at.repository} AND p.digest = ${digestToBytes(digest)} AND p.seen_until IS NULL`;
}
