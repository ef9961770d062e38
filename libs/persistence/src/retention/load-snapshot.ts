import { maxUntaggedAsked } from '@waybill/inventory';
import type { RepositorySnapshot, SnapshotManifest } from '@waybill/retention';
import type { Role } from '@waybill/topology';
import type { Database, Tables } from '../database.js';
import { unreadPlaces } from '../inventory/unread-places.js';
import { pullsKnownSince } from '../registry-notifications/pulls-known-since.js';
import { loadAbsences } from './load-absences.js';
import { type Beneath, loadEdges } from './load-edges.js';
import { type ManifestRow, loadManifests } from './load-manifests.js';
import { loadOrigins } from './load-origins.js';
import { loadTagPasts } from './load-tag-pasts.js';

/** A repository of which all that is known is wanted. */
export interface RepositoryToLoad {
  readonly registry: { readonly id: string; readonly name: string; readonly role: Role; readonly replicaOf?: string };
  readonly repository: string;
  /** Names of registries that policies ask about: whether a digest is there, too. */
  readonly absentFrom: readonly string[];
}

export interface LoadedRepository {
  readonly snapshot: RepositorySnapshot;
  /** Digests that stand here under a tag of ours, as the latest provenance has it. */
  readonly provenanceTargets: ReadonlySet<string>;
  /** The database's clock when it was read, in milliseconds since 1970. */
  readonly now: number;
}

/**
 * Reads all that the planner wants to know of one repository, as at one moment; what is held grows with that repository alone.
 * Undefined when the inventory has no such repository.
 */
export async function loadSnapshot(database: Database, wanted: RepositoryToLoad): Promise<LoadedRepository | undefined> {
  return database.snapshot(async (tables) => {
    const [row] = await tables.$queryRaw<RepositoryRow[]>`
      SELECT id, state, last_full_crawl_started_at AS crawled, unreadable_manifests AS unreadable, now(),
        (SELECT count(*) FROM unreadable_manifest u WHERE u.repository_id = repository.id)
          + (SELECT count(*) FROM ${unreadPlaces(wanted.registry.id, wanted.repository)}
              AND NOT EXISTS (SELECT 1 FROM unreadable_manifest u WHERE u.repository_id = repository.id AND u.digest = p.digest)) AS unread
      FROM repository WHERE registry_id = ${wanted.registry.id}::uuid AND name = ${wanted.repository}`;
    return row === undefined ? undefined : assemble(tables, wanted, row);
  });
}

interface RepositoryRow {
  readonly id: bigint;
  readonly state: 'known' | 'suspect' | 'unreadable' | 'gone';
  readonly crawled: Date | null;
  /** As of its last crawl. */
  readonly unreadable: number;
  readonly unread: bigint;
  readonly now: Date;
}

async function assemble(tables: Tables, wanted: RepositoryToLoad, row: RepositoryRow): Promise<LoadedRepository> {
  const { registry, repository, absentFrom } = wanted;
  const place = { registryId: registry.id, repository, repositoryId: row.id };
  const pasts = await loadTagPasts(tables, place);
  const tags = await tables.$queryRaw<TagRow[]>`
    SELECT name, digest_text(digest) AS digest, tagged_at AS at, tagged_at_source AS source
    FROM tag WHERE repository_id = ${row.id} AND gone_at IS NULL`;
  const manifests = await loadManifests(tables, place);
  const edges = await loadEdges(tables, place);
  const origins = await loadOrigins(tables, place);
  const absences = await loadAbsences(tables, place, absentFrom);
  const unreadable = manifests.reduce((count, { unreadable: why }) => count + (why === null ? 0 : 1), 0);
  const snapshot: RepositorySnapshot = {
    registry: registry.name,
    role: registry.role,
    ...(registry.replicaOf === undefined ? {} : { replicaOf: registry.replicaOf }),
    repository,
    knowledge: {
      lastFullCrawlStartedAt: row.crawled?.getTime() ?? 'none',
      unreadableManifests: Math.max(row.unreadable, Number(row.unread) + unreadable),
      // What could not be read when it was looked at last may have changed since.
      isSuspect: row.state !== 'known',
      pullsKnownSince: await pullsKnownSince(tables, { registryId: registry.id, repository }),
      referrersKnownOf: countLoose(manifests, tags, edges) > maxUntaggedAsked ? 'tagged' : 'all',
    },
    tags: tags.map(({ name, digest, at, source }) => ({
      name,
      digest,
      // A crawl sees a tag later than it was written.
      taggedAt: source === 'crawl' ? 'unknown' : at.getTime(),
      seenSince: at.getTime(),
      history: pasts.history.get(name) ?? [],
    })),
    manifests: manifests.map((manifest) => {
      const { digest } = manifest;
      return {
        ...factsOf(manifest),
        blobs: edges.get(digest)?.blobs ?? [],
        children: edges.get(digest)?.children ?? [],
        untaggedAt: pasts.untaggedAt.get(digest) ?? 'never',
        promotedTo: origins.promotedTo.get(digest) ?? [],
        sources: origins.sources.get(digest) ?? [],
        absences: absences(digest),
      };
    }),
  };
  return { snapshot, provenanceTargets: origins.standing, now: row.now.getTime() };
}

/** Manifests that no tag and no index leads to: a crawl asks about so many of them, others each time. */
function countLoose(manifests: readonly ManifestRow[], tags: readonly TagRow[], edges: ReadonlyMap<string, Beneath>): number {
  const led = new Set(tags.map(({ digest }) => digest));
  for (const { children } of edges.values()) for (const child of children) led.add(child);
  return manifests.reduce((count, { digest }) => count + (led.has(digest) ? 0 : 1), 0);
}

interface TagRow {
  readonly name: string;
  readonly digest: string;
  readonly at: Date;
  readonly source: 'effect' | 'notification' | 'crawl';
}

type Facts = Omit<SnapshotManifest, 'blobs' | 'children' | 'untaggedAt' | 'promotedTo' | 'sources' | 'absences'>;

function factsOf(row: ManifestRow): Facts {
  const { digest, mediaType, artifactType, size, subject, platforms, annotations, gaps, createdAt, createdProblem, pushedAt, firstSeenAt } =
    row;
  return {
    ...{ digest, mediaType, size: Number(size), annotations, firstSeenAt: firstSeenAt.getTime() },
    ...(artifactType === null ? {} : { artifactType }),
    ...(subject === null ? {} : { subject }),
    ...(gaps.includes('annotations') ? { lacksAnnotations: true } : {}),
    platforms: createdProblem === 'unread' || gaps.includes('platforms') ? 'unknown' : platforms,
    createdAt: createdAt?.getTime() ?? 'unknown',
    pushedAt: pushedAt?.getTime() ?? 'unknown',
    lastPulledAt: row.lastPulledAt?.getTime() ?? 'never',
  };
}
