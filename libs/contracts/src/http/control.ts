import { z } from 'zod';
import { Cursor, Id, Page, Text, Timestamp } from './primitives.js';

const Reason = Text(2000);

export const CancelPromotion = z
  .strictObject({ reason: Reason.optional().describe('why, for those who read the record later') })
  .default({})
  .meta({ id: 'CancelPromotion', description: 'stops what is left of a promotion' });
export type CancelPromotion = z.infer<typeof CancelPromotion>;

export const RetryPromotion = z
  .strictObject({ reason: Reason.optional().describe('why, for those who read the record later') })
  .default({})
  .meta({ id: 'RetryPromotion', description: 'takes up what failed or was cancelled, as it was pinned' });
export type RetryPromotion = z.infer<typeof RetryPromotion>;

/** What people decided about a promotion under way, as the promotion shows it. */
export const Cancellation = z
  .object({
    requestedBy: Id.describe('principal that wanted it'),
    requestedAt: Timestamp.describe('when'),
    reason: z.string().optional().describe('why'),
    stops: z
      .enum(['everything', 'the-rest'])
      .describe('the rest, once a tag is written: what is written stays, and a tag that is being written is written to its end'),
    tagsWritten: z
      .array(
        z
          .object({
            registry: z.string().describe('name of a registry of the topology'),
            repository: z.string().describe('repository in that registry'),
            tag: z.string().describe('the tag, which stays'),
          })
          .describe('one tag'),
      )
      .describe('tags that this promotion has written'),
  })
  .meta({ id: 'Cancellation', description: 'somebody asked that the promotion be stopped' });

const pauseScopes = ['global', 'path', 'registry'] as const;
const PauseScope = z.enum(pauseScopes).describe('everything, one path, or one registry as source or target');
const PauseName = z.string().min(1).max(100).describe('name of the path or the registry; absent for everything');

export const CreatePause = z
  .strictObject({
    scope: PauseScope,
    name: PauseName.optional(),
    reason: Reason.min(1).describe('why, for those whose promotions wait'),
  })
  .refine(({ scope, name }) => (scope === 'global') === (name === undefined), {
    path: ['name'],
    message: 'name the path or the registry, and nothing where everything is paused',
  })
  .meta({ id: 'CreatePause', description: 'a freeze: what it covers is neither begun nor tagged until it is resumed' });
export type CreatePause = z.infer<typeof CreatePause>;

export const ResumePause = z
  .strictObject({ reason: Reason.optional().describe('why it may go on') })
  .default({})
  .meta({ id: 'ResumePause', description: 'ends a pause' });
export type ResumePause = z.infer<typeof ResumePause>;

/** A pause as those see it whose promotions wait for its end. */
export const OpenPause = z
  .object({
    id: Id,
    scope: z
      .enum([...pauseScopes, 'collection'])
      .describe('everything, one path, one registry as source or target, or what is brought to a registry while it is collected'),
    name: PauseName.optional(),
    reason: z.string().describe('why'),
    pausedBy: Id.describe('principal that wanted it'),
    pausedAt: Timestamp.describe('since when'),
  })
  .meta({ id: 'OpenPause', description: 'what holds a target back' });

export const Pause = OpenPause.extend({
  resumedBy: Id.optional().describe('principal that ended it'),
  resumedAt: Timestamp.optional().describe('when it ended; absent while it holds'),
  resumeReason: z.string().optional().describe('why it ended'),
}).meta({ id: 'Pause', description: 'a freeze, with who wanted it and why' });
export type Pause = z.infer<typeof Pause>;

export const PauseList = z
  .object({
    pauses: z.array(Pause).describe('those of paths that the key may read, of registries, and of everything'),
    next: Cursor.optional().describe('cursor of the next page; absent on the last'),
  })
  .meta({ id: 'PauseList', description: 'pauses, newest first' });
export type PauseList = z.infer<typeof PauseList>;

export const ListPauses = Page.extend({
  state: z.enum(['open', 'all']).default('open').describe('those that hold now, or those too that have ended'),
});
export type ListPauses = z.infer<typeof ListPauses>;
