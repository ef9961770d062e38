import type { LookEnd } from '@waybill/inventory';
import type { Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { storableJson } from '../registry-checks/storable-json.js';
import type { LookedAt } from './repository-records.js';

/** A look that ends. */
export interface EndedLook extends LookedAt {
  readonly askedAt: string;
  /** Whether it wrote anything before. */
  readonly hasChanged: boolean;
}

/**
 * Ends a look at a repository, in transactions one after the other: what follows from a large one takes long. The last says that it has
 * ended; when one before it fails, a later look does them all again.
 */
export function stepsOfLook(look: EndedLook, end: LookEnd): readonly ((tables: Tables) => Promise<void>)[] {
  const before = [
    ...(end.state === 'gone' ? [closePlaces] : []),
    ...(end.isComplete ? [linkReservedTags, notePushes, forgetUnreadable] : []),
  ];
  return [...before.map((step) => (tables: Tables) => step(tables, look)), (tables) => settleLook(tables, look, end)];
}

/** Its row, and what the look belongs to. */
async function settleLook(tables: Tables, look: EndedLook, end: LookEnd): Promise<void> {
  const { kind, repositoryId } = look;
  const counts = kind === 'full' || look.hasChanged ? countsOf(look) : Prisma.empty;
  await tables.$executeRaw`
    UPDATE repository r SET ${rowOf(look, end)} ${counts} WHERE r.id = ${repositoryId}`;
  await look.ended(tables, end);
}

/** What looks gone and cannot be read now stays suspect since when it was: trouble confirms nothing. */
function rowOf({ kind, askedAt }: EndedLook, { state, problem, isListed, isComplete }: LookEnd): Prisma.Sql {
  const asked = Prisma.sql`${askedAt}::timestamptz`;
  const keeps = Prisma.sql`(${state} = 'unreadable' AND r.state = 'suspect')`;
  const columns = [
    Prisma.sql`state = CASE WHEN ${keeps} THEN r.state ELSE ${state} END`,
    Prisma.sql`suspect_since = CASE WHEN ${keeps} OR ${state} = 'suspect' THEN coalesce(r.suspect_since, ${asked}) END`,
    Prisma.sql`gone_at = CASE WHEN ${state} = 'gone' THEN now() END`,
    Prisma.sql`problem = ${problem === undefined ? null : storableJson(problem)}::jsonb`,
  ];
  if (isListed) columns.push(Prisma.sql`last_listed_at = ${asked}`);
  if (isComplete && kind === 'quick') columns.push(Prisma.sql`last_quick_crawl_at = now()`);
  if (isComplete && kind === 'full') columns.push(Prisma.sql`last_full_crawl_started_at = ${asked}, last_full_crawl_at = now()`);
  return Prisma.join(columns, ', ');
}

function countsOf({ repositoryId, registryId, repository }: EndedLook): Prisma.Sql {
  const manifests = (which: Prisma.Sql) => Prisma.sql`(
    SELECT count(*) FROM placement p JOIN manifest m ON m.digest = p.digest
    WHERE p.registry_id = ${registryId}::uuid AND p.repository = ${repository} AND p.seen_until IS NULL ${which})`;
  return Prisma.sql`, tag_count = (SELECT count(*) FROM tag t WHERE t.repository_id = ${repositoryId} AND t.gone_at IS NULL AND NOT t.is_reserved),
    manifest_count = ${manifests(Prisma.empty)},
    unreadable_manifests = ${manifests(Prisma.sql`AND m.unreadable IS NOT NULL`)}
      + (SELECT count(*) FROM unreadable_manifest u WHERE u.repository_id = ${repositoryId})`;
}

async function closePlaces(tables: Tables, { registryId, repository, askedAt }: EndedLook): Promise<void> {
  await tables.$executeRaw`
    UPDATE placement SET seen_until = now()
    WHERE registry_id = ${registryId}::uuid AND repository = ${repository} AND seen_until IS NULL AND seen_from <= ${askedAt}::timestamptz`;
}

/** As `is_reserved_tag` reads them; a SHA-512 that was cut to 64 digits names nothing whole. */
async function linkReservedTags(tables: Tables, { repositoryId }: EndedLook): Promise<void> {
  await tables.$executeRaw`
    INSERT INTO content_edge (parent, child, kind)
    SELECT DISTINCT t.digest, s.digest, 'reserved-tag'
    FROM tag t JOIN content p ON p.digest = t.digest
      JOIN content s ON s.digest = CASE WHEN t.name ~ '^sha256-[0-9a-f]{64}' THEN decode(substr(t.name, 8, 64), 'hex')
                                        WHEN t.name ~ '^sha512-[0-9a-f]{128}' THEN decode(substr(t.name, 8, 128), 'hex') END
    WHERE t.repository_id = ${repositoryId} AND t.is_reserved AND t.gone_at IS NULL AND s.digest <> t.digest
      AND NOT EXISTS (SELECT 1 FROM content_edge e WHERE e.parent = t.digest AND e.child = s.digest AND e.kind = 'reserved-tag')
    ON CONFLICT DO NOTHING`;
}

/** When manifests were pushed is known of those that we pushed. */
async function notePushes(tables: Tables, { registryId, repository }: EndedLook): Promise<void> {
  await tables.$executeRaw`
    UPDATE placement p SET pushed_at = e.settled_at, pushed_at_source = 'effect'
    FROM effect e
    WHERE p.registry_id = ${registryId}::uuid AND p.repository = ${repository} AND p.seen_until IS NULL AND p.pushed_at IS NULL
      AND e.registry_id = ${registryId}::uuid AND e.repository = ${repository} AND e.digest = p.digest
      AND e.kind = 'manifest' AND e.outcome = 'written' AND e.settled_at IS NOT NULL`;
}

/** What could not be read and nothing names any more. */
async function forgetUnreadable(tables: Tables, { registryId, repository, repositoryId }: EndedLook): Promise<void> {
  await tables.$executeRaw`
    DELETE FROM unreadable_manifest u
    WHERE u.repository_id = ${repositoryId}
      AND NOT EXISTS (SELECT 1 FROM tag t WHERE t.repository_id = ${repositoryId} AND t.digest = u.digest AND t.gone_at IS NULL)
      AND NOT EXISTS (
        SELECT 1 FROM content_edge e JOIN placement p ON p.digest = e.parent
        WHERE e.child = u.digest AND p.registry_id = ${registryId}::uuid AND p.repository = ${repository} AND p.seen_until IS NULL)`;
}
