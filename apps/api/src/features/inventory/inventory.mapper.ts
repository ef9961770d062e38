import type {
  Crawl,
  InventoryManifest,
  InventoryRepositoryList,
  InventoryTag,
  InventoryTagHistory,
  UnreadableManifest,
} from '@waybill/contracts/http';
import { digestFromBytes } from '@waybill/oci-model';
import type {
  InventoryCrawl,
  InventoryManifest as ManifestRow,
  InventoryRepository,
  InventoryTag as TagRow,
  InventoryTagEvent,
  UnreadableManifest as UnreadableRow,
} from '@waybill/persistence';
import type { z } from 'zod';
import { toFacts } from '../../http/manifest-facts-view.js';

type RepositoryView = InventoryRepositoryList['repositories'][number];
type ManifestView = z.infer<typeof InventoryManifest>;

export function toRepositoryView(row: InventoryRepository, registry: string): RepositoryView {
  const { name, state, problem, tags, manifests, unreadableManifests } = row;
  return {
    ...{ registry, repository: name, state, since: row.since.toISOString() },
    ...(problem === undefined ? {} : { problem: { code: problem.code, message: problem.message } }),
    firstSeenAt: row.firstSeenAt.toISOString(),
    ...timeOf('listedAt', row.listedAt),
    ...timeOf('quickCrawlAt', row.quickCrawlAt),
    ...timeOf('fullCrawlAt', row.fullCrawlAt),
    ...{ tags, manifests, unreadableManifests },
  };
}

export function toTagView(row: TagRow): z.infer<typeof InventoryTag> {
  const { name, digest, source, isReserved, mediaType, size } = row;
  return {
    ...{ tag: name, digest, taggedAt: row.taggedAt.toISOString(), source, firstSeenAt: row.firstSeenAt.toISOString() },
    ...timeOf('missingSince', row.missingSince),
    reserved: isReserved,
    ...(mediaType === undefined ? {} : { mediaType }),
    ...(size === undefined ? {} : { size }),
  };
}

export function toTagEventView({ at, digest, previous, source }: InventoryTagEvent): InventoryTagHistory['events'][number] {
  return {
    at: at.toISOString(),
    ...(digest === undefined ? {} : { digest }),
    ...(previous === undefined ? {} : { previous }),
    source,
  };
}

export function toManifestView(row: ManifestRow, { fullCrawlStartedAt }: InventoryRepository): ManifestView {
  const { digest, mediaType, size, facts, firstSeenAt, pushedSource, tags, hasMoreTags } = row;
  const lastSeenAt = fullCrawlStartedAt !== undefined && fullCrawlStartedAt > firstSeenAt ? fullCrawlStartedAt : firstSeenAt;
  return {
    ...{ digest, mediaType, size, ...(facts === undefined ? {} : { facts: toFacts(facts) }) },
    ...{ firstSeenAt: firstSeenAt.toISOString(), lastSeenAt: lastSeenAt.toISOString() },
    ...timeOf('pushedAt', row.pushedAt),
    ...(pushedSource === undefined ? {} : { pushedSource }),
    ...timeOf('lastPulledAt', row.lastPulledAt),
    ...{ tags: [...tags], moreTags: hasMoreTags },
  };
}

export function toUnreadable({ digest, since, triedAt, problem: { code, message } }: UnreadableRow): z.infer<typeof UnreadableManifest> {
  return { digest: digestFromBytes(digest), since: since.toISOString(), triedAt: triedAt.toISOString(), problem: { code, message } };
}

export function toCrawl(row: InventoryCrawl): Crawl {
  const { id, registry, kind, state, location, requestedBy, listedFrom, left, requests, found, problem } = row;
  return {
    ...{ id, registry, kind, state, location },
    ...(requestedBy === undefined ? {} : { requestedBy }),
    requestedAt: row.requestedAt.toISOString(),
    ...timeOf('startedAt', row.startedAt),
    ...timeOf('finishedAt', row.finishedAt),
    ...timeOf('listedAt', row.listedAt),
    ...(listedFrom === undefined ? {} : { listedFrom }),
    ...{ left, requests, found },
    ...(problem === undefined ? {} : { problem: { code: problem.code, message: problem.message } }),
  };
}

function timeOf<Name extends string>(name: Name, at: Date | undefined): Partial<Record<Name, string>> {
  return at === undefined ? {} : ({ [name]: at.toISOString() } as Record<Name, string>);
}
