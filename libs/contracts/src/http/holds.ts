import { z } from 'zod';
import { Cursor, DigestText, Id, Page, TagText, Text, Timestamp } from './primitives.js';
import { holdScopeNames } from './retention-words.js';

const Reason = Text(2000);
const RepositoryText = z
  .string()
  .max(255)
  .regex(
    /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/,
    'not a repository of the OCI distribution specification',
  )
  .describe('repository, relative to the registry’s prefix');

const scope = {
  scope: z.enum(holdScopeNames).describe('one digest, one tag, or all of a repository'),
  registry: z.string().min(1).max(100).optional().describe('name of a registry of the topology; every registry when absent'),
  repository: RepositoryText.optional().describe('repository, relative to the registry’s prefix; of a digest every repository when absent'),
  tag: TagText.optional().describe('the tag, whatever it names'),
  digest: DigestText.optional().describe('the digest, under whatever tags'),
};

export const CreateHold = z
  .strictObject({
    ...scope,
    reason: Reason.min(1).describe('why, for those who wonder that it stays'),
    expiresAt: Timestamp.optional().describe('when it ends by itself; never when absent'),
  })
  .refine((hold) => (hold.scope === 'digest') === (hold.digest !== undefined), {
    path: ['digest'],
    message: 'name it for the scope digest, and only there',
  })
  .refine((hold) => (hold.scope === 'tag') === (hold.tag !== undefined), {
    path: ['tag'],
    message: 'name it for the scope tag, and only there',
  })
  .refine((hold) => hold.scope === 'digest' || hold.repository !== undefined, { path: ['repository'], message: 'name it' })
  .meta({ id: 'CreateHold', description: 'names what retention must not remove' });
export type CreateHold = z.infer<typeof CreateHold>;

export const ReleaseHold = z
  .strictObject({ reason: Reason.optional().describe('why it may go') })
  .default({})
  .meta({ id: 'ReleaseHold', description: 'ends a hold' });
export type ReleaseHold = z.infer<typeof ReleaseHold>;

export const Hold = z
  .object({
    id: Id,
    ...scope,
    reason: z.string().describe('why'),
    placedBy: Id.describe('principal that placed it'),
    placedAt: Timestamp.describe('when; what was being deleted of a whole repository at that moment may be gone'),
    expiresAt: Timestamp.optional().describe('when it ends by itself'),
    releasedBy: Id.optional().describe('principal that ended it'),
    releasedAt: Timestamp.optional().describe('when it was ended'),
    releaseReason: z.string().optional().describe('why it was ended'),
  })
  .meta({ id: 'Hold', description: 'what retention does not remove, who wanted that, and why' });
export type Hold = z.infer<typeof Hold>;

export const HoldList = z
  .object({
    holds: z.array(Hold).describe('those of repositories that the key may read, and those of digests wherever they are'),
    next: Cursor.optional().describe('cursor of the next page; absent on the last'),
  })
  .meta({ id: 'HoldList', description: 'holds, newest first' });
export type HoldList = z.infer<typeof HoldList>;

export const ListHolds = Page.extend({
  state: z.enum(['open', 'all']).default('open').describe('those that hold now, or those too that have ended'),
});
export type ListHolds = z.infer<typeof ListHolds>;
