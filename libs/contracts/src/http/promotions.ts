import { outcomeNames, promotionStateNames, targetStateNames } from './promotion-words.js';
import { Bytes, Cursor, DigestText, Id, Labels, PageLimit, TagText, Timestamp } from './primitives.js';
import { z } from 'zod';

export const OnBehalfOf = z
  .strictObject({
    issuer: z.string().min(1).max(255).describe('who vouches for the subject, e.g. the address of an identity provider'),
    subject: z.string().min(1).max(255).describe('who asked, in the issuer’s words'),
  })
  .describe('the principal that this request is made for; kept as claimed, not verified');

export const CreatePromotion = z
  .strictObject({
    path: z.string().min(1).max(100).describe('name of a path of the topology'),
    items: z
      .array(
        z.strictObject({
          source: z
            .string()
            .min(1)
            .max(600)
            .describe('registry/repository:tag, registry/repository@digest or both, by the topology’s names'),
          tags: z.array(TagText).min(1).max(20).optional().describe('tags to write at the targets; default: the source tag'),
        }),
      )
      .min(1)
      .max(100)
      .describe('what to promote; at most 100'),
    reason: z.string().max(2000).optional().describe('why, for those who read the record later'),
    labels: Labels.optional(),
    externalRef: z.string().max(500).optional().describe('a name in another system, e.g. of the pipeline run'),
    onBehalfOf: OnBehalfOf.optional(),
  })
  .describe('asks for a promotion along a path');
export type CreatePromotion = z.infer<typeof CreatePromotion>;

const ErrorFacts = z
  .object({ code: z.string(), message: z.string(), operation: z.string(), retryable: z.boolean() })
  .describe('why it failed');

export const PromotionTag = z
  .object({
    tag: TagText,
    expected: z
      .object({ kind: z.enum(['digest', 'absent', 'unknown']), digest: DigestText.optional() })
      .describe('what it held when it was looked at'),
    outcome: z.enum(['written', 'already-present', 'conflict', 'superseded']).optional(),
    found: DigestText.optional().describe('what another writer made it hold'),
  })
  .describe('one tag at one target');

export const PromotionTarget = z
  .object({
    registry: z.string(),
    location: z.string(),
    repository: z.string(),
    requirement: z.enum(['required', 'best-effort']).describe('required targets decide success; replicas are best-effort'),
    state: z.enum(targetStateNames),
    outcome: z.enum(outcomeNames).optional(),
    attempts: z.int(),
    dueAt: Timestamp.optional().describe('when it is tried again'),
    error: ErrorFacts.optional(),
    tags: z.array(PromotionTag),
    bytesCopied: Bytes,
    bytesMounted: Bytes,
    bytesSkipped: Bytes,
    startedAt: Timestamp.optional(),
    finishedAt: Timestamp.optional(),
  })
  .describe('an item at one target');

export const PromotionItem = z
  .object({
    source: z.object({ registry: z.string(), repository: z.string(), tag: TagText.optional() }),
    digest: DigestText.describe('pinned at request; what is copied, wherever the tag goes'),
    mediaType: z.string(),
    sourceMoved: z
      .object({ at: Timestamp, to: DigestText.optional().describe('absent when the tag was gone') })
      .optional()
      .describe('the source tag had moved when the copy began'),
    targets: z.array(PromotionTarget),
  })
  .describe('one artifact of a promotion');

const Counts = z.object({ copy: z.int(), mount: z.int(), skip: z.int() });
export const Estimate = z
  .object({
    madeAt: Timestamp,
    targets: z.array(
      z.object({ item: z.int(), registry: z.string(), blobs: Counts.optional(), bytes: Counts.optional(), requests: z.int().optional() }),
    ),
    links: z.array(z.object({ from: z.string(), to: z.string(), bytes: Bytes, cost: z.number().optional() })),
  })
  .describe('forecast made at request; not part of the intent');

export const Promotion = z
  .object({
    id: Id,
    path: z.string(),
    revision: z.int().describe('topology revision that it is pinned to'),
    state: z.enum(promotionStateNames),
    settled: z.boolean().describe('no target, best-effort ones included, has anything left to do'),
    requestedBy: Id,
    onBehalfOf: OnBehalfOf.optional(),
    reason: z.string().optional(),
    labels: Labels,
    externalRef: z.string().optional(),
    intentHash: DigestText,
    estimate: Estimate,
    items: z.array(PromotionItem),
    requestedAt: Timestamp,
    finishedAt: Timestamp.optional(),
  })
  .describe('a promotion with its items and targets');
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
}).describe('a promotion in a list');
export const PromotionList = z.object({ promotions: z.array(PromotionSummary), next: Cursor.optional() }).describe('newest first');
export type PromotionList = z.infer<typeof PromotionList>;

export const ListPromotions = z.object({ limit: PageLimit, cursor: Cursor.optional() });
export type ListPromotions = z.infer<typeof ListPromotions>;

export const AcceptedPromotion = z
  .object({
    id: Id,
    state: z.literal('requested'),
    path: z.string(),
    revision: z.int(),
    intentHash: DigestText,
    estimate: Estimate,
    items: z.array(
      z.object({
        source: z.object({ registry: z.string(), repository: z.string(), tag: TagText.optional() }),
        digest: DigestText,
        targets: z.array(
          z.object({
            registry: z.string(),
            repository: z.string(),
            requirement: z.enum(['required', 'best-effort']),
            tags: z.array(TagText),
          }),
        ),
      }),
    ),
  })
  .describe('what was accepted; Location says where to follow it');
export type AcceptedPromotion = z.infer<typeof AcceptedPromotion>;
