import { z } from 'zod';
import { Bytes, Count, Cursor, DigestText, Id, Page, TagText, Timestamp } from './primitives.js';

export const repositoryStateNames = ['known', 'suspect', 'unreadable', 'gone'] as const;
export const tagSourceNames = ['effect', 'notification', 'crawl'] as const;
export const crawlKindNames = ['quick', 'full'] as const;
export const crawlStateNames = ['queued', 'running', 'complete', 'partial', 'failed'] as const;

const next = Cursor.optional().describe('cursor of the next page; absent on the last');
const boundedNext = Cursor.optional().describe('cursor of the next page, which may follow a page that is not full; absent on the last');
const problem = z
  .object({ code: z.string().describe('for programs'), message: z.string().describe('what went wrong') })
  .describe('what a look at a registry met');
const source = z
  .enum(tagSourceNames)
  .describe(
    'how it is known. effect: Waybill wrote it; notification: the registry told of it; crawl: a look at it showed it, later than it happened',
  );
/** Of a repository or a tag. */
const NamePrefix = z.string().regex(/^[A-Za-z0-9._/-]{1,255}$/, 'not the beginning of a name');

export const InventoryRepository = z
  .object({
    registry: z.string().describe('name of the registry'),
    repository: z.string().describe('repository, without the registry’s prefix'),
    state: z
      .enum(repositoryStateNames)
      .describe(
        'known: the last look at it was answered; suspect: it looks gone, or lost most of its tags, and nothing has confirmed that; unreadable: the last look at it failed, and what is told is from before; gone: the registry has it no more',
      ),
    since: Timestamp.describe('since when it is in this state'),
    problem: problem.optional().describe('why it is unreadable or suspect, as the last look at it had it'),
    firstSeenAt: Timestamp.describe('when it was first heard of'),
    listedAt: Timestamp.optional().describe('when its tags were last listed with success; absent when they never were'),
    quickCrawlAt: Timestamp.optional().describe('end of its last quick crawl that was complete'),
    fullCrawlAt: Timestamp.optional().describe('end of its last full crawl that was complete; absent when there was none'),
    tags: Count.describe('tags as of its last crawl, reserved ones not counted'),
    manifests: Count.describe('manifests as of its last crawl'),
    unreadableManifests: Count.describe('manifests as of its last crawl that are named there and cannot be read'),
  })
  .meta({ id: 'InventoryRepository', description: 'a repository as it was seen last' });

export const ListInventoryRepositories = Page.extend({
  prefix: NamePrefix.optional().describe('only those whose names begin so'),
  state: z.enum(repositoryStateNames).optional().describe('only those in this state'),
});
export type ListInventoryRepositories = z.infer<typeof ListInventoryRepositories>;

export const InventoryTag = z
  .object({
    tag: TagText,
    digest: DigestText.describe('what it names'),
    taggedAt: Timestamp.describe('when it came to name that, or was first seen to'),
    source,
    firstSeenAt: Timestamp.describe('when the tag was first heard of'),
    missingSince: Timestamp.optional().describe('since when a list that lost too much to be believed has lacked it'),
    reserved: z.boolean().describe('of cosign, or of the fallback for referrers'),
    mediaType: z.string().optional().describe('of what it names; absent until it was read'),
    size: Bytes.optional().describe('of what it names, in bytes'),
  })
  .meta({ id: 'InventoryTag', description: 'a tag as it was seen last' });

export const InventoryTagList = z
  .object({ repository: InventoryRepository, tags: z.array(InventoryTag).describe('those that are not gone'), next })
  .meta({ id: 'InventoryTagList', description: 'tags of a repository, by name' });
export type InventoryTagList = z.infer<typeof InventoryTagList>;

export const ListInventoryTags = Page.extend({
  prefix: NamePrefix.optional().describe('only those whose names begin so'),
  reserved: z.enum(['hide', 'show']).default('hide').describe('tags of cosign and of the fallback for referrers'),
});
export type ListInventoryTags = z.infer<typeof ListInventoryTags>;

export const InventoryTagEvent = z
  .object({
    at: Timestamp.describe('when it was seen'),
    digest: DigestText.optional().describe('what the tag named then; absent when it was gone'),
    previous: DigestText.optional().describe('what it was known to name before'),
    source,
  })
  .meta({ id: 'InventoryTagEvent', description: 'what was seen of a tag' });

export const InventoryTagHistory = z
  .object({
    repository: InventoryRepository,
    tag: TagText,
    events: z.array(InventoryTagEvent).describe('none for a tag that nobody saw'),
    next,
  })
  .meta({
    id: 'InventoryTagHistory',
    description: 'what a tag named, newest first; one that moved and moved back between two looks was never seen to',
  });
export type InventoryTagHistory = z.infer<typeof InventoryTagHistory>;
export const ListInventoryTagHistory = Page;
export type ListInventoryTagHistory = z.infer<typeof ListInventoryTagHistory>;

export const InventoryPlatform = z
  .object({
    os: z.string().describe('operating system'),
    architecture: z.string().describe('processor'),
    variant: z.string().optional().describe('kind of processor'),
    osVersion: z.string().optional().describe('version of the operating system'),
  })
  .meta({ id: 'InventoryPlatform', description: 'what an image is for' });

/** What a manifest says of itself, once its bytes were read. */
export const manifestFacts = {
  artifactType: z.string().optional().describe('what it is, if it says so'),
  configMediaType: z.string().optional().describe('media type of its config'),
  createdAt: Timestamp.optional().describe('when it was made, as its config or an annotation says; anybody can write that'),
  createdProblem: z
    .enum(['missing', 'invalid', 'epoch', 'future', 'unread'])
    .optional()
    .describe('why nothing is known of when it was made'),
  platforms: z.array(InventoryPlatform).describe('what it is for'),
  annotations: z.record(z.string(), z.string()).describe('of a bounded number and length'),
  subject: DigestText.optional().describe('what it refers to'),
  blobBytes: Bytes.describe('of the blobs that it names itself, each once, in bytes'),
  unreadable: z.string().optional().describe('why its bytes are not understood: what is beneath it is unknown then'),
} as const;

export const InventoryManifest = z
  .object({
    digest: DigestText,
    mediaType: z.string().describe('media type'),
    size: Bytes.describe('of the manifest itself, in bytes'),
    facts: z.object(manifestFacts).optional().describe('what it says of itself; absent until a crawl has read it'),
    firstSeenAt: Timestamp.describe('when it was first seen in this repository'),
    lastSeenAt: Timestamp.describe('begin of the last complete full crawl of the repository, or when it was first seen, if that is later'),
    pushedAt: Timestamp.optional().describe('when it was pushed; absent when nobody knows'),
    pushedSource: z.enum(['effect', 'notification']).optional().describe('how that is known'),
    lastPulledAt: Timestamp.optional().describe('when it was pulled last, of what the registry told of'),
    tags: z.array(TagText).describe('at most 20 that name it here, reserved ones too'),
    moreTags: z.boolean().describe('there are more'),
  })
  .meta({ id: 'InventoryManifest', description: 'a manifest in a repository' });

export const UnreadableManifest = z
  .object({
    digest: DigestText,
    since: Timestamp.describe('when that was met first'),
    triedAt: Timestamp.describe('when it was tried last'),
    problem,
  })
  .meta({ id: 'UnreadableManifest', description: 'a manifest that a tag or an index names and that cannot be read' });

export const InventoryManifestList = z
  .object({
    repository: InventoryRepository,
    artifacts: z.array(InventoryManifest).describe('what is there'),
    unreadable: z.array(UnreadableManifest).describe('at most 20, on the first page'),
    next: boundedNext,
  })
  .meta({ id: 'InventoryManifestList', description: 'manifests of a repository, by digest' });
export type InventoryManifestList = z.infer<typeof InventoryManifestList>;

export const ListInventoryManifests = Page.extend({
  state: z.enum(['tagged', 'untagged', 'all']).default('all').describe('whether a tag, reserved or not, names it here'),
});
export type ListInventoryManifests = z.infer<typeof ListInventoryManifests>;

export const CreateCrawl = z
  .strictObject({
    kind: z
      .enum(crawlKindNames)
      .default('quick')
      .describe('quick: one list for each repository, which sees new tags and none that was moved; full: each tag is asked for, too'),
  })
  .meta({ id: 'CreateCrawl', description: 'asks that a registry is looked at now' });
export type CreateCrawl = z.infer<typeof CreateCrawl>;

export const AcceptedCrawl = z
  .object({
    id: Id.describe('of the crawl'),
    kind: z.enum(crawlKindNames).describe('of the one that is open, which may be another than was asked for'),
    isNew: z.boolean().describe('false when a crawl of the registry was open already: there is one at a time'),
  })
  .meta({ id: 'AcceptedCrawl', description: 'a crawl that will be done or is under way' });
export type AcceptedCrawl = z.infer<typeof AcceptedCrawl>;

const tally = (of: string) => z.record(z.string(), Count).describe(of);

export const Crawl = z
  .object({
    id: Id.describe('of the crawl'),
    registry: z.string().describe('name of the registry'),
    kind: z.enum(crawlKindNames).describe('how much is looked at'),
    state: z
      .enum(crawlStateNames)
      .describe('partial: some repositories could not be looked at, and say so themselves; failed: the registry could not be'),
    location: z.string().describe('where a worker looks from'),
    requestedBy: Id.optional().describe('principal that asked for it; absent when its time had come'),
    requestedAt: Timestamp.describe('since when it waits'),
    startedAt: Timestamp.optional().describe('when a worker took it first'),
    finishedAt: Timestamp.optional().describe('when it was over'),
    listedAt: Timestamp.optional().describe('when its list of repositories was complete'),
    listedFrom: z
      .enum(['catalogue', 'records'])
      .optional()
      .describe('catalogue: the registry lists its repositories; records: it does not, and those were looked at that records name'),
    left: Count.describe('repositories known to be left, counted up to 10,000'),
    requests: tally('requests so far, by method'),
    found: tally('what was found so far, by what it is'),
    problem: problem.optional().describe('why it failed, or why the catalogue could not be read'),
  })
  .meta({ id: 'Crawl', description: 'a look at a registry, as far as it has come' });
export type Crawl = z.infer<typeof Crawl>;

export const InventoryRepositoryList = z
  .object({
    newestCrawl: Crawl.optional().describe('of the registry; absent when nobody has looked at it yet, so that an empty list says nothing'),
    repositories: z.array(InventoryRepository).describe('those that the key may read'),
    next: boundedNext,
  })
  .meta({ id: 'InventoryRepositoryList', description: 'repositories of a registry, by name' });
export type InventoryRepositoryList = z.infer<typeof InventoryRepositoryList>;

export const CrawlList = z
  .object({ crawls: z.array(Crawl).describe('those that are kept'), next })
  .meta({ id: 'CrawlList', description: 'crawls of a registry, newest first' });
export type CrawlList = z.infer<typeof CrawlList>;
export const ListCrawls = Page;
export type ListCrawls = z.infer<typeof ListCrawls>;
