import { z } from 'zod';
import { Bytes, Count, DigestText, TagText, Timestamp } from './primitives.js';

const Counts = z
  .object({
    copy: Count.describe('to be sent'),
    mount: Count.describe('to be taken over within the registry'),
    skip: Count.describe('there already'),
    unknown: Count.optional().describe('not known to be there or not: the target was not asked for them, or did not answer'),
  })
  .meta({ id: 'ForecastCounts', description: 'what will probably be done' });

/** Why something of a target is not known. */
export const unseenNames = [
  'source-unread',
  'too-many',
  'unreachable',
  'unavailable',
  'unauthorized',
  'rate-limited',
  'deadline',
  'broken-answer',
] as const;

const RegistryName = z.string().describe('name of a registry of the topology');

export const Estimate = z
  .object({
    madeAt: Timestamp.describe('when it was made'),
    targets: z
      .array(
        z
          .object({
            item: Count.describe('index of the item'),
            registry: RegistryName,
            manifests: Counts.optional().describe('numbers of manifests; absent when source or target could not be asked in time'),
            manifestBytes: Counts.optional().describe('their sizes in bytes; absent when source or target could not be asked in time'),
            blobs: Counts.optional().describe('numbers of blobs; absent when source or target could not be asked in time'),
            bytes: Counts.optional().describe('sizes of the blobs in bytes; absent when source or target could not be asked in time'),
            requests: Count.optional().describe('requests to the registry, at most'),
            unseen: z
              .enum(unseenNames)
              .optional()
              .describe(
                'why not all of it is known: the source could not be read, there is more than was looked at, or what the target said',
              ),
          })
          .describe('forecast for one item at one target'),
      )
      .describe('one entry per item and target'),
    links: z
      .array(
        z
          .object({
            from: z.string().describe('location'),
            to: z.string().describe('location'),
            bytes: Bytes.describe('bytes of blobs and manifests that are known to be missing there'),
            bytesUnknown: Bytes.optional().describe('bytes that may have to cross as well'),
            requests: Count.optional().describe('requests to the registries at its end, at most'),
            cost: z.number().min(0).optional().describe('of the bytes, in the topology’s currency; absent where no price is declared'),
          })
          .describe('what crosses from one location to another'),
      )
      .describe('links between locations that bytes will cross'),
  })
  .meta({ id: 'Estimate', description: 'forecast made at request; not part of the intent' });

const Repository = z.string().describe('repository in that registry, without the registry’s prefix');
const Requirement = z.enum(['required', 'best-effort']).describe('required targets decide success; replicas are best-effort');

const EstimatedTag = z
  .object({
    tag: TagText,
    expected: z
      .object({
        kind: z.enum(['digest', 'absent', 'unknown']).describe('unknown when it could not be asked'),
        digest: DigestText.optional().describe('what it holds'),
      })
      .describe('what it holds now'),
    change: z
      .enum(['create', 'keep', 'move', 'conflict', 'unknown'])
      .describe('what would be done: conflict where it is immutable and holds something else'),
  })
  .meta({ id: 'EstimatedTag', description: 'a tag that would be written' });

const EstimatedItem = z
  .object({
    source: z
      .object({ registry: RegistryName, repository: Repository, tag: TagText.optional().describe('tag that it was asked for by') })
      .describe('where it comes from'),
    digest: DigestText.describe('what the source names now'),
    mediaType: z.string().describe('media type of the root manifest'),
    targets: z
      .array(
        z
          .object({
            registry: RegistryName,
            location: z.string().describe('location of the registry'),
            repository: Repository,
            requirement: Requirement,
            tags: z.array(EstimatedTag).describe('the tags that would be written'),
          })
          .describe('an item at one target'),
      )
      .describe('required ones and replicas'),
  })
  .meta({ id: 'EstimatedItem', description: 'one artifact that would be promoted' });

export const PromotionEstimate = z
  .object({
    path: z.string().describe('path that it would go along'),
    revision: z.int().min(1).describe('topology revision that it was planned by'),
    intentHash: DigestText.describe('hash of what would be asked for, as things are now'),
    acceptable: z.boolean().describe('whether a request would be accepted now: false when a required target holds another digest for good'),
    items: z.array(EstimatedItem).describe('in the order of the request'),
    conflicts: z
      .array(
        z
          .object({
            item: Count.describe('index of the item'),
            registry: RegistryName,
            repository: Repository,
            requirement: Requirement,
            tag: TagText,
            holds: DigestText.describe('what it holds'),
            wanted: DigestText.describe('what it would have to hold'),
          })
          .describe('an immutable tag that holds something else'),
      )
      .describe('what stands in the way, replicas included'),
    estimate: Estimate,
  })
  .meta({ id: 'PromotionEstimate', description: 'what a request would do; nothing was written' });
export type PromotionEstimate = z.infer<typeof PromotionEstimate>;
