import { z } from 'zod';
import { Bytes, Count, Cursor, Id, Page, Text, Timestamp } from './primitives.js';

export const collectionStateNames = [
  'requested',
  'draining',
  'read-only',
  'collecting',
  'restarting',
  'complete',
  'failed',
  'refused',
] as const;

export const CreateCollection = z
  .strictObject({
    reason: Text(2000).min(1).describe('why, for those whose promotions wait'),
    dryRun: z.boolean().default(false).describe('say what would be given back, and remove and hold nothing'),
  })
  .meta({ id: 'CreateCollection', description: 'asks that the space of what no manifest needs is given back' });
export type CreateCollection = z.infer<typeof CreateCollection>;

export const Collection = z
  .object({
    id: Id.describe('of the collection'),
    registry: z.string().describe('name of the registry'),
    state: z
      .enum(collectionStateNames)
      .describe(
        'requested: until the `waybill up` that runs the registry takes it; draining: copies that have begun may end; read-only, collecting, restarting: the registry refuses writes; complete, failed, refused: it is over',
      ),
    dryRun: z.boolean().describe('nothing is removed and nothing waits'),
    reason: z.string().describe('why'),
    requestedBy: Id.describe('principal that asked for it'),
    requestedAt: Timestamp.describe('when it was asked for'),
    startedAt: Timestamp.optional().describe('since when copies to the registry wait; of a dry run, when it began'),
    drainUntil: Timestamp.optional().describe('copies that run still by then make it give up'),
    finishedAt: Timestamp.optional().describe('when it was over'),
    bytesBefore: Bytes.optional().describe('size of the registry’s storage before'),
    bytesAfter: Bytes.optional().describe('size of it afterwards; of a dry run, at least so much would be left'),
    reclaimedBytes: z.int().optional().describe('what was given back; of a dry run, at most so much would be'),
    blobs: Count.optional().describe('blobs and manifests that were removed, or would be'),
    epoch: Count.optional().describe('the registry’s since: what was known to be there before counts for nothing'),
    log: z.string().optional().describe('the last lines of the program'),
    error: z
      .object({ code: z.string().describe('for programs'), message: z.string().describe('what went wrong') })
      .optional()
      .describe('why it failed or was refused'),
  })
  .meta({ id: 'Collection', description: 'an offline collection of a local registry, as far as it has come' });
export type Collection = z.infer<typeof Collection>;

export const CollectionList = z
  .object({
    advice: z.string().optional().describe('how a registry that Waybill does not run gives space back'),
    collections: z.array(Collection).describe('of the registry that the name means now'),
    next: Cursor.optional().describe('cursor of the next page; absent on the last'),
  })
  .meta({ id: 'CollectionList', description: 'collections of a registry, newest first' });
export type CollectionList = z.infer<typeof CollectionList>;

export const ListCollections = Page;
export type ListCollections = z.infer<typeof ListCollections>;
