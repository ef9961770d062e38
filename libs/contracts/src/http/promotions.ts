import { Cancellation, OpenPause } from './control.js';
import { Estimate } from './estimates.js';
import { outcomeNames, promotionStateNames, targetStateNames } from './promotion-words.js';
import { Bytes, Count, Cursor, DigestText, Id, Labels, TagText, Text, Timestamp } from './primitives.js';
import { z } from 'zod';

export const OnBehalfOf = z
  .strictObject({
    issuer: Text(255).min(1).describe('who vouches for the subject, e.g. the address of an identity provider'),
    subject: Text(255).min(1).describe('who asked, in the issuer’s words'),
  })
  .meta({ id: 'OnBehalfOf', description: 'the principal that this request is made for; kept as claimed, not verified' });

const ItemRequest = z
  .strictObject({
    source: z.string().min(1).max(600).describe('registry/repository:tag, registry/repository@digest or both, by the topology’s names'),
    tags: z.array(TagText).min(1).max(20).optional().describe('tags to write at the targets; default: the source tag'),
  })
  .describe('one artifact to promote');

export const CreatePromotion = z
  .strictObject({
    path: z.string().min(1).max(100).describe('name of a path of the topology'),
    items: z.array(ItemRequest).min(1).max(100).describe('what to promote; at most 100'),
    reason: Text(2000).optional().describe('why, for those who read the record later'),
    labels: Labels.optional(),
    externalRef: Text(500).optional().describe('a name in another system, e.g. of the pipeline run'),
    onBehalfOf: OnBehalfOf.optional(),
  })
  .meta({ id: 'CreatePromotion', description: 'asks for a promotion along a path' });
export type CreatePromotion = z.infer<typeof CreatePromotion>;

const Requirement = z.enum(['required', 'best-effort']).describe('required targets decide success; replicas are best-effort');
const RegistryName = z.string().describe('name of a registry of the topology');
const Repository = z.string().describe('repository in that registry, without the registry’s prefix');

export const PromotionSource = z
  .object({ registry: RegistryName, repository: Repository, tag: TagText.optional().describe('tag that it was asked for by') })
  .meta({ id: 'PromotionSource', description: 'where an artifact comes from' });

export const ErrorFacts = z
  .object({
    code: z.string().describe('kind of error'),
    message: z.string().describe('what happened, for people'),
    operation: z.string().describe('what was being done'),
    retryable: z.boolean().describe('whether doing it again may help'),
    help: z.string().optional().describe('what to do about it, for people; events leave it out'),
  })
  .meta({ id: 'PromotionFailure', description: 'why it failed' });

export const PromotionTag = z
  .object({
    tag: TagText,
    expected: z
      .object({
        kind: z.enum(['digest', 'absent', 'unknown']).describe('unknown when it could not be asked'),
        digest: DigestText.optional().describe('what it held'),
      })
      .describe('what it held when it was looked at'),
    outcome: z.enum(['written', 'already-present', 'conflict', 'superseded']).optional().describe('how it ended'),
    found: DigestText.optional().describe('what another writer made it hold'),
  })
  .meta({ id: 'PromotionTag', description: 'one tag at one target' });

export const PromotionTarget = z
  .object({
    id: Id.describe('id of the target, as events name it'),
    registry: RegistryName,
    location: z.string().describe('location of the registry'),
    repository: Repository,
    requirement: Requirement,
    state: z.enum(targetStateNames).describe('how far it is'),
    outcome: z.enum(outcomeNames).optional().describe('how it ended'),
    attempts: Count.describe('how often it was tried'),
    dueAt: Timestamp.optional().describe('when it is tried again'),
    waitingFor: z
      .object({
        what: z
          .enum(['worker', 'prod', 'pause'])
          .describe('a worker that serves its location, the prod whose replica it is, or the end of a pause'),
        since: Timestamp.describe('since when'),
        pause: OpenPause.optional(),
      })
      .optional()
      .describe('what must come before anything is done'),
    error: ErrorFacts.optional(),
    tags: z.array(PromotionTag).describe('the tags that are written'),
    bytesCopied: Bytes.describe('bytes sent to it'),
    bytesMounted: Bytes.describe('bytes taken over within its registry'),
    bytesSkipped: Bytes.describe('bytes that it had already'),
    startedAt: Timestamp.optional().describe('when it was first worked on'),
    finishedAt: Timestamp.optional().describe('when it ended'),
  })
  .meta({ id: 'PromotionTarget', description: 'an item at one target' });

export const PromotionItem = z
  .object({
    source: PromotionSource,
    digest: DigestText.describe('pinned at request; what is copied, wherever the tag goes'),
    mediaType: z.string().describe('media type of the root manifest'),
    sourceMoved: z
      .object({
        at: Timestamp.describe('when that was seen'),
        to: DigestText.optional().describe('what it holds now; absent when the tag was gone'),
      })
      .optional()
      .describe('the source tag had moved when the copy began'),
    targets: z.array(PromotionTarget).describe('where it goes'),
  })
  .meta({ id: 'PromotionItem', description: 'one artifact of a promotion' });

const Revision = z.int().min(1).describe('topology revision that it is pinned to');
const IntentHash = DigestText.describe('hash of what was asked for; approvals bind to it');

export const Promotion = z
  .object({
    id: Id,
    path: z.string().describe('path that it goes along'),
    revision: Revision,
    state: z.enum(promotionStateNames).describe('derived from its required targets'),
    settled: z.boolean().describe('no target, best-effort ones included, has anything left to do'),
    requestedBy: Id.describe('principal that asked for it'),
    onBehalfOf: OnBehalfOf.optional(),
    reason: z.string().optional().describe('why, as the request said'),
    labels: Labels,
    externalRef: z.string().optional().describe('a name in another system'),
    intentHash: IntentHash,
    estimate: Estimate,
    items: z.array(PromotionItem).describe('in the order of the request'),
    requestedAt: Timestamp.describe('when it was accepted'),
    finishedAt: Timestamp.optional().describe('when its state became final'),
    cancellation: Cancellation.optional(),
  })
  .meta({ id: 'Promotion', description: 'a promotion with its items and targets' });
export type Promotion = z.infer<typeof Promotion>;

export const PromotionSummary = Promotion.pick({
  id: true,
  path: true,
  revision: true,
  state: true,
  requestedBy: true,
  externalRef: true,
  reason: true,
  requestedAt: true,
  finishedAt: true,
})
  .extend({
    image: PromotionItem.pick({ digest: true })
      .extend({
        repository: Repository,
        tag: TagText.optional().describe('tag that it was asked for by'),
      })
      .describe('its first item, as it is at the source'),
    items: z.int().min(1).describe('how many items it has'),
  })
  .meta({ id: 'PromotionSummary', description: 'a promotion in a list' });
export const PromotionList = z
  .object({
    promotions: z.array(PromotionSummary).describe('those that the key may read; a page may hold fewer than its limit'),
    next: Cursor.optional().describe('cursor of the next page; absent on the last'),
  })
  .meta({ id: 'PromotionList', description: 'promotions, newest first' });
export type PromotionList = z.infer<typeof PromotionList>;

const AcceptedTarget = z
  .object({
    registry: RegistryName,
    repository: Repository,
    requirement: Requirement,
    tags: z.array(TagText).describe('the tags that will be written'),
  })
  .describe('where an item goes');

export const AcceptedPromotion = z
  .object({
    id: Id,
    state: z.literal('requested').describe('nothing has been done yet'),
    path: z.string().describe('path that it goes along'),
    revision: Revision,
    intentHash: IntentHash,
    estimate: Estimate,
    items: z
      .array(
        z
          .object({
            source: PromotionSource,
            digest: DigestText.describe('pinned from here on'),
            targets: z.array(AcceptedTarget).describe('required ones and replicas'),
          })
          .describe('one artifact of the promotion'),
      )
      .describe('in the order of the request'),
  })
  .meta({ id: 'AcceptedPromotion', description: 'what was accepted; Location says where to follow it' });
export type AcceptedPromotion = z.infer<typeof AcceptedPromotion>;
