import { z } from 'zod';
import { Bytes, Count, DigestText, Id, TagText, Timestamp } from './primitives.js';
import { ErrorFacts, PromotionTag, PromotionTarget } from './promotions.js';
import { promotionStateNames } from './promotion-words.js';

/** Where a reader stands in the order of all events; larger than what a JSON number can hold for sure, so a string. */
const Position = z.string().regex(/^[0-9]{1,18}$/);

const resumed = Position.optional().describe('go on after this event; the header Last-Event-ID says the same and comes first');

export const FollowPromotion = z.strictObject({ after: resumed });
export type FollowPromotion = z.infer<typeof FollowPromotion>;

export const FollowEvents = z.strictObject({
  after: resumed,
  path: z.string().min(1).max(100).optional().describe('only promotions along this path'),
  state: z.enum(promotionStateNames).optional().describe('only promotions that come into this state; leaves their targets and tags out'),
});
export type FollowEvents = z.infer<typeof FollowEvents>;

export const StreamPosition = z
  .object({ position: Position.describe('of the last event before those that follow') })
  .meta({ id: 'StreamPosition', description: 'where a stream begins; what was read before may be out of date' });

const ofEvent = { promotionId: Id, occurredAt: Timestamp.describe('when it became visible') };
const RegistryName = PromotionTarget.shape.registry;
const ItemIndex = Count.describe('index of the item');
const TargetId = Id.describe('id of the target');

export const PromotionChanged = z
  .object({
    ...ofEvent,
    path: z.string().describe('path that it goes along'),
    state: z.enum(promotionStateNames).describe('its state now'),
    rejection: ErrorFacts.optional(),
    requestedAt: Timestamp.describe('when it was accepted'),
    cancelRequestedAt: Timestamp.optional().describe('when somebody asked to cancel it'),
    finishedAt: Timestamp.optional().describe('when its state became final'),
  })
  .meta({ id: 'PromotionChanged', description: 'data of the event `promotion`: it was requested, or it changed' });
export type PromotionChanged = z.infer<typeof PromotionChanged>;

export const TargetChanged = PromotionTarget.omit({ id: true, tags: true, waitingFor: true })
  .extend({
    ...ofEvent,
    target: TargetId,
    item: ItemIndex,
    waitingSince: Timestamp.optional().describe('since when it waits for the prod whose replica it is'),
    heldBy: Id.optional().describe('the pause that holds it'),
    heldSince: Timestamp.optional().describe('since when a pause holds it'),
  })
  .meta({ id: 'TargetChanged', description: 'data of the event `target`: one target of one item, as it is now' });
export type TargetChanged = z.infer<typeof TargetChanged>;

export const TagSettled = z
  .object({
    ...ofEvent,
    target: TargetId,
    item: ItemIndex,
    registry: RegistryName,
    repository: PromotionTarget.shape.repository,
    tag: TagText,
    digest: DigestText.describe('what was promoted'),
    outcome: PromotionTag.shape.outcome,
    found: PromotionTag.shape.found,
  })
  .meta({ id: 'TagSettled', description: 'data of the event `tag`: what became of one tag at one target' });
export type TagSettled = z.infer<typeof TagSettled>;

export const BlobProgress = z
  .object({
    target: TargetId,
    digest: DigestText.describe('of the blob'),
    size: Bytes,
    done: Bytes.describe('bytes that the target was given; begins anew when the upload does'),
    state: z.enum(['copying', 'copied', 'mounted', 'skipped']).describe('how far it is, or how it came to be there'),
  })
  .meta({ id: 'BlobProgress', description: 'one blob on its way to one target' });
export type BlobProgress = z.infer<typeof BlobProgress>;

export const TargetProgress = z
  .object({
    target: TargetId,
    bytesCopied: Bytes.describe('bytes given to it in this attempt, those of blobs under way included'),
    bytesMounted: Bytes.describe('bytes taken over within its registry in this attempt'),
    bytesSkipped: Bytes.describe('bytes that it had already'),
  })
  .meta({ id: 'TargetProgress', description: 'the sums of one target' });
export type TargetProgress = z.infer<typeof TargetProgress>;

export const CopyProgress = z
  .object({
    promotionId: Id,
    location: z.string().describe('where the work is done'),
    blobs: z.array(BlobProgress).describe('blobs of which there is news'),
    targets: z.array(TargetProgress).describe('targets of which there is news'),
  })
  .meta({ id: 'CopyProgress', description: 'data of the event `progress`: bytes under way; it is never repeated and may be left out' });
export type CopyProgress = z.infer<typeof CopyProgress>;

/** What an event of each name carries. */
export const eventData = {
  position: StreamPosition,
  reset: StreamPosition,
  promotion: PromotionChanged,
  target: TargetChanged,
  tag: TagSettled,
  progress: CopyProgress,
  end: StreamPosition,
} as const;
export type EventName = keyof typeof eventData;
