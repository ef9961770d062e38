import { z } from 'zod';
import { RepositoryText } from './list-promotions.js';
import { Count, Cursor, DigestText, Id, Page, TagText, Text, Timestamp } from './primitives.js';

const RegistryName = z.string().min(1).max(100).describe('name of a registry of the topology');
const Reason = Text(2000).min(1);

export const trashRequestStateNames = ['requested', 'running', 'succeeded', 'partial', 'failed'] as const;
const State = z
  .enum(trashRequestStateNames)
  .describe('requested: until a worker takes it; running; succeeded: all of it; partial: not all of it; failed: nothing of it');
const Trouble = z.object({ code: z.string().describe('for programs'), message: z.string().describe('what is wrong') });

export const TrashEntry = z
  .object({
    id: Id,
    registry: RegistryName,
    repository: RepositoryText,
    digest: DigestText,
    mediaType: z.string().describe('of the manifest'),
    tags: z.array(TagText).describe('those that named it when it was deleted'),
    run: Id.describe('run that deleted it'),
    policy: z.string().describe('policy of the run'),
    deletedAt: Timestamp.describe('when'),
    expiresAt: Timestamp.describe('until when it can be brought back'),
    restore: Id.optional().describe('restore that is to bring it back'),
    restoredAt: Timestamp.optional().describe('when it was brought back'),
    restoredBy: Id.optional().describe('principal that asked for that'),
    emptiedAt: Timestamp.optional().describe('since when it cannot come back any more'),
  })
  .meta({ id: 'TrashEntry', description: 'a manifest that was deleted, and what became of it since' });
export type TrashEntry = z.infer<typeof TrashEntry>;

export const TrashList = z
  .object({
    entries: z.array(TrashEntry).describe('those of repositories that the key may read'),
    next: Cursor.optional().describe('cursor of the next page; absent on the last'),
  })
  .meta({ id: 'TrashList', description: 'what was deleted, newest first' });
export type TrashList = z.infer<typeof TrashList>;

export const ListTrash = Page.extend({
  registry: RegistryName.optional(),
  repository: RepositoryText.optional(),
  digest: DigestText.optional(),
  tag: TagText.optional().describe('a tag that named it'),
  run: Id.optional().describe('run that deleted it'),
  state: z.enum(['held', 'all']).default('held').describe('what can be brought back, or also what was and what was emptied out'),
});
export type ListTrash = z.infer<typeof ListTrash>;

export const CreateRestore = z
  .strictObject({
    registry: RegistryName.optional(),
    repository: RepositoryText.optional(),
    digest: DigestText.optional(),
    tag: TagText.optional().describe('a tag that named it: the manifest that was deleted last is meant'),
    run: Id.optional().describe('all that this run deleted, instead of one manifest'),
    reason: Reason.describe('why, for the record'),
  })
  .refine(isOneOf, {
    path: ['run'],
    message: 'name a run, or a registry and a repository with a digest or a tag of it',
  })
  .meta({ id: 'CreateRestore', description: 'asks that something deleted comes back, with all beneath it and all that referred to it' });
export type CreateRestore = z.infer<typeof CreateRestore>;

export const Restore = z
  .object({
    id: Id,
    registry: RegistryName.optional(),
    repository: RepositoryText.optional(),
    digest: DigestText.optional(),
    tag: TagText.optional(),
    run: Id.optional().describe('run whose deletions come back'),
    reason: z.string().describe('why'),
    requestedBy: Id.describe('principal that asked for it'),
    requestedAt: Timestamp.describe('when'),
    state: State,
    restored: Count.describe('manifests that are back'),
    failed: Count.describe('manifests that could not come back'),
    open: Count.describe('manifests that are still to come'),
    startedAt: Timestamp.optional().describe('when a worker took it first'),
    finishedAt: Timestamp.optional().describe('when it was over'),
    error: Trouble.optional().describe('why it failed as a whole'),
  })
  .meta({ id: 'Restore', description: 'a restore, as far as it has come; without any manifest all was back already' });
export type Restore = z.infer<typeof Restore>;

export const RestoreList = z
  .object({
    restores: z.array(Restore).describe('those of repositories that the key may read, and those of runs'),
    next: Cursor.optional().describe('cursor of the next page; absent on the last'),
  })
  .meta({ id: 'RestoreList', description: 'restores, newest first' });
export type RestoreList = z.infer<typeof RestoreList>;

export const ListRestores = Page;
export type ListRestores = z.infer<typeof ListRestores>;

export const RestoredManifests = z
  .object({
    manifests: z
      .array(
        z
          .object({
            repository: RepositoryText,
            digest: DigestText,
            state: z.enum(['open', 'restored', 'failed']).describe('whether it is back'),
            tags: z
              .array(
                z
                  .object({
                    tag: TagText,
                    outcome: z
                      .enum(['back', 'moved'])
                      .describe('back: it names the manifest; moved: it names something else by now, and was left'),
                    names: DigestText.optional().describe('what it names instead'),
                  })
                  .describe('a tag that named it'),
              )
              .describe('its tags, once it is back'),
            error: Trouble.optional().describe('why it is not back'),
          })
          .describe('a manifest that comes back'),
      )
      .describe('those of repositories that the key may read'),
    next: Cursor.optional().describe('cursor of the next page; absent on the last'),
  })
  .meta({ id: 'RestoredManifests', description: 'what a restore brings back, by repository and digest' });
export type RestoredManifests = z.infer<typeof RestoredManifests>;

export const ListRestoredManifests = Page;
export type ListRestoredManifests = z.infer<typeof ListRestoredManifests>;

export const CreatePurge = z
  .strictObject({
    registry: RegistryName,
    repository: RepositoryText.optional().describe('only there; wherever the registry is known to have it when absent'),
    digest: DigestText,
    reason: Reason.describe('why, for the record'),
  })
  .meta({ id: 'CreatePurge', description: 'asks that something is deleted at once and for good, from the trash too' });
export type CreatePurge = z.infer<typeof CreatePurge>;

export const Purge = z
  .object({
    id: Id,
    registry: RegistryName,
    repository: RepositoryText.optional(),
    digest: DigestText,
    reason: z.string().describe('why'),
    requestedBy: Id.describe('principal that asked for it'),
    requestedAt: Timestamp.describe('when'),
    state: State,
    deleted: Count.describe('manifests that are gone, each repository counted'),
    failed: Count.describe('manifests that could not be deleted'),
    open: Count.describe('manifests that are still to be deleted'),
    startedAt: Timestamp.optional().describe('when a worker took it first'),
    finishedAt: Timestamp.optional().describe('when it was over'),
    error: Trouble.optional().describe('why it failed as a whole'),
  })
  .meta({ id: 'Purge', description: 'a purge, as far as it has come' });
export type Purge = z.infer<typeof Purge>;

export const PurgeList = z
  .object({
    purges: z.array(Purge).describe('those of repositories that the key may read, and those of all'),
    next: Cursor.optional().describe('cursor of the next page; absent on the last'),
  })
  .meta({ id: 'PurgeList', description: 'purges, newest first' });
export type PurgeList = z.infer<typeof PurgeList>;

export const PurgedManifests = z
  .object({
    manifests: z
      .array(
        z
          .object({
            repository: RepositoryText,
            digest: DigestText,
            state: z.enum(['open', 'deleted', 'failed']).describe('whether it is gone'),
            error: Trouble.optional().describe('why it is not gone'),
          })
          .describe('a manifest that goes'),
      )
      .describe('those of repositories that the key may read'),
    next: Cursor.optional().describe('cursor of the next page; absent on the last'),
  })
  .meta({ id: 'PurgedManifests', description: 'what a purge deletes, by repository and digest' });
export type PurgedManifests = z.infer<typeof PurgedManifests>;

export const ListPurges = Page;
export type ListPurges = z.infer<typeof ListPurges>;
export const ListPurgedManifests = Page;
export type ListPurgedManifests = z.infer<typeof ListPurgedManifests>;

function isOneOf({
  registry,
  repository,
  digest,
  tag,
  run,
}: Partial<Record<'registry' | 'repository' | 'digest' | 'tag' | 'run', string | undefined>>): boolean {
  const isPlace = registry !== undefined && repository !== undefined && (digest === undefined) !== (tag === undefined);
  const isNowhere = registry === undefined && repository === undefined && digest === undefined && tag === undefined;
  return run === undefined ? isPlace : isNowhere;
}
