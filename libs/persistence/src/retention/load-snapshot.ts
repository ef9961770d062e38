import { maxUntaggedAsked } from '@waybill/inventory';
import type { RepositoryKnowledge, RepositorySnapshot, SnapshotManifest, SnapshotTag } from '@waybill/retention';
import type { Role } from '@waybill/topology';
import type { Database, Tables } from '../database.js';
import { pullsKnownOf } from '../registry-notifications/pulls-known-since.js';
import { loadAbsences } from './load-absences.js';
import { type LoadedManifests, loadManifests } from './load-manifests.js';
import { loadOrigins } from './load-origins.js';
import { loadTagPasts } from './load-tag-pasts.js';
import { loadTags } from './load-tags.js';

/** The registry whose repositories are wanted, and what is wanted of it. */
export interface RegistryToLoad {
  readonly registry: { readonly id: string; readonly name: string; readonly role: Role; readonly replicaOf?: string };
  /** Names of registries that policies ask about: whether a digest is there, too. */
  readonly absentFrom: readonly string[];
}

/** A repository of which all that is known is wanted. */
export interface RepositoryToLoad extends RegistryToLoad {
  readonly repository: string;
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
export async function loadSnapshot(database: Database, { repository, ...of }: RepositoryToLoad): Promise<LoadedRepository | undefined> {
  return (await loadSnapshots(database, of, [repository])).get(repository);
}

/** The same of several repositories, by name, without those that the inventory does not have: many small ones cost as much as one. */
export async function loadSnapshots(
  database: Database,
  of: RegistryToLoad,
  repositories: readonly string[],
): Promise<ReadonlyMap<string, LoadedRepository>> {
  return database.snapshot((tables) => assemble(tables, of, repositories));
}

interface RepositoryRow {
  readonly name: string;
  readonly state: 'known' | 'suspect' | 'unreadable' | 'gone';
  readonly crawled: Date | null;
  /** As of its last crawl. */
  readonly unreadable: number;
  /** Digests of what could not be read. */
  readonly tried: readonly string[];
  readonly now: Date;
}

async function assemble(
  tables: Tables,
  { registry, absentFrom }: RegistryToLoad,
  repositories: readonly string[],
): Promise<ReadonlyMap<string, LoadedRepository>> {
  const places = { registryId: registry.id, repositories };
  // To start other processes for some thousand rows takes longer than to read them.
  await tables.$executeRaw`SET LOCAL max_parallel_workers_per_gather = 0`;
  const rows = await tables.$queryRaw<RepositoryRow[]>`
    SELECT name, state, last_full_crawl_started_at AS crawled, unreadable_manifests AS unreadable, now(),
      ARRAY(SELECT digest_text(u.digest) FROM unreadable_manifest u WHERE u.repository_id = repository.id) AS tried
    FROM repository WHERE registry_id = ${registry.id}::uuid AND name = ANY(${[...repositories]}::text[])`;
  const pasts = await loadTagPasts(tables, places);
  const tags = await loadTags(tables, places);
  const origins = await loadOrigins(tables, places);
  const pulls = await pullsKnownOf(tables, places);
  const absences = await loadAbsences(tables, places, absentFrom);
  const manifests = await loadManifests(tables, places, (repository) => {
    const [past, origin] = [pasts.get(repository), origins.get(repository)];
    return {
      untaggedAt: (digest) => past?.untaggedAt.get(digest) ?? 'never',
      promotedTo: (digest) => origin?.promotedTo.get(digest) ?? none,
      sources: (digest) => origin?.sources.get(digest) ?? none,
      absences,
    };
  });
  return new Map(
    rows.map((row) => {
      const [past, origin, found] = [pasts.get(row.name), origins.get(row.name), manifests.get(row.name) ?? nothing];
      const named = (tags.get(row.name) ?? []).map((tag): SnapshotTag => ({ ...tag, history: past?.history.get(tag.name) ?? [] }));
      const snapshot: RepositorySnapshot = {
        registry: registry.name,
        role: registry.role,
        ...(registry.replicaOf === undefined ? {} : { replicaOf: registry.replicaOf }),
        repository: row.name,
        knowledge: knowledgeOf(row, { found, tags: named, pullsKnownSince: pulls(row.name) }),
        tags: named,
        manifests: found.manifests,
      };
      return [row.name, { snapshot, provenanceTargets: origin?.standing ?? new Set(), now: row.now.getTime() }];
    }),
  );
}

interface Found extends Pick<RepositoryKnowledge, 'pullsKnownSince'> {
  readonly found: LoadedManifests;
  readonly tags: readonly SnapshotTag[];
}

const none: readonly never[] = [];
const nothing: LoadedManifests = { manifests: [], unreadable: 0, unread: [] };

function knowledgeOf(row: RepositoryRow, { found, tags, pullsKnownSince: pulls }: Found): RepositoryKnowledge {
  const missing = new Set([...row.tried, ...found.unread]);
  return {
    lastFullCrawlStartedAt: row.crawled?.getTime() ?? 'none',
    unreadableManifests: Math.max(row.unreadable, missing.size + found.unreadable),
    // What could not be read when it was looked at last may have changed since.
    isSuspect: row.state !== 'known',
    pullsKnownSince: pulls,
    referrersKnownOf: isLooseBeyond(maxUntaggedAsked, found.manifests, tags) ? 'tagged' : 'all',
  };
}

/** Are there more manifests that no tag and no index leads to? A crawl asks about so many of them, others each time. */
function isLooseBeyond(most: number, manifests: readonly SnapshotManifest[], tags: readonly SnapshotTag[]): boolean {
  if (manifests.length <= most) return false;
  const loose = new Set(manifests.map(({ digest }) => digest));
  for (const { digest } of tags) loose.delete(digest);
  for (const { children } of manifests) for (const child of children) loose.delete(child);
  return loose.size > most;
}
