import { manifestMediaTypes } from '@waybill/oci-model';
import type { SnapshotManifest } from '@waybill/retention';
import type { Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { PackedBlobs } from './packed-blobs.js';

/** Repositories of one registry that are read together. */
export interface Places {
  readonly registryId: string;
  readonly repositories: readonly string[];
}

/** What is known of a repository's manifests beyond their rows, by digest. */
export type Beyond = {
  readonly [Fact in 'untaggedAt' | 'promotedTo' | 'sources' | 'absences']: (digest: string) => SnapshotManifest[Fact];
};

/** What stands in one repository. */
export interface LoadedManifests {
  readonly manifests: SnapshotManifest[];
  /** Those whose bytes say what nobody understands. */
  unreadable: number;
  /** Digests of those that are there and were never read. */
  readonly unread: string[];
}

/** Rows that the database gives as one text: a row of its own for each takes longer than all that is done with it. */
const page = 4_000;

/**
 * Manifests of each repository, by name; repositories without any are left out. In the order of digests, as the index has them.
 * One repository alone is read a page at a time, so that the text of no page grows with it.
 */
export async function loadManifests(
  tables: Tables,
  places: Places,
  beyondOf: (repository: string) => Beyond,
): Promise<ReadonlyMap<string, LoadedManifests>> {
  const loaded = new Map<string, LoadedManifests>();
  if (places.repositories.length !== 1) {
    await loadPage(tables, places, Prisma.sql`p.repository = ANY(${[...places.repositories]}::text[])`, { loaded, beyondOf });
    return loaded;
  }
  for (let after = '', count = page; count === page;) {
    const [repository] = places.repositories;
    const next = Prisma.sql`p.repository = ${repository} AND p.digest > decode(${after}, 'hex') ORDER BY p.digest LIMIT ${page}`;
    const read = await loadPage(tables, places, next, { loaded, beyondOf });
    count = read.count;
    after = read.last;
  }
  return loaded;
}

async function loadPage(
  tables: Tables,
  { registryId }: Places,
  which: Prisma.Sql,
  { loaded, beyondOf }: { readonly loaded: Map<string, LoadedManifests>; readonly beyondOf: (repository: string) => Beyond },
): Promise<{ readonly count: number; readonly last: string }> {
  const texts = await tables.$queryRaw<{ repository: string; rows: string }[]>`
    SELECT p.repository, '[' || string_agg(${rowText}, ',') || ']' AS rows
    FROM (
      SELECT p.repository, p.digest, p.pushed_at, p.seen_from, p.last_pulled_at FROM placement p
      WHERE p.registry_id = ${registryId}::uuid AND p.seen_until IS NULL AND ${which}
    ) p LEFT JOIN manifest m ON m.digest = p.digest
    GROUP BY p.repository`;
  let count = 0;
  let last = '';
  for (const { repository, rows: text } of texts) {
    const rows = JSON.parse(text) as readonly ManifestRow[];
    const known = loaded.get(repository) ?? { manifests: [], unreadable: 0, unread: [] };
    loaded.set(repository, known);
    const beyond = beyondOf(repository);
    for (const row of rows) {
      const [hash, size, isManifest] = row;
      if (hash > last) last = hash;
      if (size !== null) known.manifests.push(toManifest(row, hash, size, beyond));
      else if (isManifest === true) known.unread.push(digestText(hash));
      if (row[13]) known.unreadable += 1;
    }
    count += rows.length;
  }
  return { count, last };
}

/** Digests as their hash in hexadecimal, times in milliseconds since 1970; a blob has neither manifest nor a type of one. */
type ManifestRow = readonly [
  hash: string,
  size: number | null,
  isManifest: boolean | null,
  mediaType: string,
  artifactType: string | null,
  subject: string | null,
  children: readonly string[],
  blobs: string,
  platforms: readonly StoredPlatform[],
  annotations: Readonly<Record<string, string>>,
  gaps: readonly string[],
  createdAt: number | null,
  createdProblem: string | null,
  isUnreadable: boolean,
  pushedAt: number | null,
  firstSeenAt: number,
  lastPulledAt: number | null,
];

/** As a crawl reads it; what tells versions of an operating system apart is no part of its name. */
interface StoredPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

const rowText = Prisma.sql`json_build_array(encode(p.digest, 'hex'), octet_length(m.raw),
  CASE WHEN m.digest IS NULL THEN (SELECT c.media_type = ANY(${[...manifestMediaTypes]}::text[]) FROM content c WHERE c.digest = p.digest) END,
  m.media_type, m.artifact_type, encode(m.subject, 'hex'),
  m.children, encode(m.blobs, 'hex'), m.platforms, m.annotations, m.gaps, ${msOf('m.created_at')}, m.created_problem, m.unreadable IS NOT NULL,
  ${msOf('p.pushed_at')}, ${msOf('p.seen_from')}, ${msOf('p.last_pulled_at')})::text`;

function msOf(column: 'm.created_at' | 'p.last_pulled_at' | 'p.pushed_at' | 'p.seen_from'): Prisma.Sql {
  return Prisma.sql`floor(date_part('epoch', ${Prisma.raw(column)}) * 1000)::bigint`;
}

/** One literal for all, so that a million of them have one shape. */
function toManifest(row: ManifestRow, hash: string, size: number, { untaggedAt, promotedTo, sources, absences }: Beyond): SnapshotManifest {
  const [, , , mediaType, artifactType, subject, children, blobs, platforms, annotations, gaps, createdAt, createdProblem] = row;
  const digest = digestText(hash);
  return {
    digest,
    mediaType,
    artifactType: artifactType ?? undefined,
    size,
    blobs: new PackedBlobs(blobs),
    children: children.length === 0 ? none : children.map((bytes) => digestText(bytes.slice(bytea.length))),
    subject: subject === null ? undefined : digestText(subject),
    platforms: createdProblem === 'unread' || gaps.includes('platforms') ? 'unknown' : platforms.map(platformName),
    annotations,
    lacksAnnotations: gaps.includes('annotations'),
    createdAt: createdAt ?? 'unknown',
    pushedAt: row[14] ?? 'unknown',
    firstSeenAt: row[15],
    untaggedAt: untaggedAt(digest),
    lastPulledAt: row[16] ?? 'never',
    promotedTo: promotedTo(digest),
    sources: sources(digest),
    absences: absences(digest),
  };
}

function platformName({ os, architecture, variant }: StoredPlatform): string {
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** How PostgreSQL writes bytes within an array. */
const bytea = '\\x';
const none: readonly string[] = [];
const sha256Length = 64;

/** As `digest_text`. */
export function digestText(hash: string): string {
  return hash.length === sha256Length ? `sha256:${hash}` : `sha512:${hash}`;
}
