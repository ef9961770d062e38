import { isRepositoryName } from '@waybill/oci-model';
import { z } from 'zod';
import { DigestText, Page, TagText, Text, Timestamp } from './primitives.js';
import { promotionStateNames } from './promotion-words.js';

export const RepositoryText = z.string().refine(isRepositoryName, 'not a repository').describe('repository, without the registry’s prefix');

/** Every part that is given must hold; times are half open, so that one list follows another without a gap. */
export const ListPromotions = Page.extend({
  state: z.enum(promotionStateNames).optional().describe('only those in this state'),
  path: Text(100).min(1).optional().describe('only those along this path'),
  repository: RepositoryText.optional().describe('only those that bring something from or to this repository'),
  digest: DigestText.optional().describe('only those that bring this digest, as root of an item'),
  tag: TagText.optional().describe('only those that write this tag or were asked for by it'),
  principal: Text(600).min(1).optional().describe('only those that this principal asked for: its id, its subject, or `issuer/subject`'),
  requestedAfter: Timestamp.optional().describe('only those requested at this time or later'),
  requestedBefore: Timestamp.optional().describe('only those requested before this time'),
});
export type ListPromotions = z.infer<typeof ListPromotions>;
