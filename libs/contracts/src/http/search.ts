import { z } from 'zod';
import { InventoryRepository, manifestFacts, repositoryStateNames, tagSourceNames } from './inventory.js';
import { Bytes, Cursor, DigestText, Page, TagText, Text, Timestamp } from './primitives.js';

const wildcard = 'a `*` at its end stands for anything';

/** Every part that is given must hold; one is needed. */
export const SearchInventory = Page.extend({
  repository: z
    .string()
    .regex(/^(?=.)[a-z0-9._/-]{0,255}\*?$/, 'not a repository, nor the beginning of one with a * after it')
    .optional()
    .describe(`name of a repository, without the registry’s prefix; ${wildcard}`),
  tag: z
    .string()
    .regex(/^(?=.)[A-Za-z0-9._-]{0,128}\*?$/, 'not a tag, nor the beginning of one with a * after it')
    .optional()
    .describe(`name of a tag; ${wildcard}; reserved tags are not found`),
  annotation: Text(769)
    .regex(/^[^=]{1,256}=/, 'expected key=value')
    .optional()
    .describe('key=value of a manifest that was read, in full'),
  digest: z
    .string()
    .regex(
      /^(?:sha256:[0-9a-f]{1,64}|sha512:[0-9a-f]{1,128}|[0-9a-f]{4,128})$/,
      'not the beginning of a digest: expected sha256: and lower-case hex digits',
    )
    .optional()
    .describe('how a digest begins, of a manifest or a blob; with the algorithm before it or at least four digits'),
});
export type SearchInventory = z.infer<typeof SearchInventory>;

export const FoundTag = z
  .object({
    registry: z.string().describe('name of the registry'),
    repository: z.string().describe('repository in it'),
    state: z.enum(repositoryStateNames).describe('of the repository: of one that is not known, this is from before'),
    tag: TagText,
    digest: DigestText.describe('what it names'),
    mediaType: z.string().optional().describe('of what it names; absent until it was read'),
    taggedAt: Timestamp.describe('when it came to name that, or was first seen to'),
    source: z.enum(tagSourceNames).describe('how that is known'),
  })
  .meta({ id: 'FoundTag', description: 'a tag that was found' });

export const FoundArtifact = z
  .object({
    digest: DigestText,
    mediaType: z.string().describe('media type'),
    size: Bytes,
    facts: z.object(manifestFacts).optional().describe('what a manifest says of itself; absent until a crawl has read it, and of a blob'),
    places: z
      .array(
        z
          .object({
            registry: z.string().describe('name of the registry'),
            repository: z.string().describe('repository in it'),
            tags: z.array(TagText).describe('that name it there and are what was searched for: at most 5'),
          })
          .describe('where it is'),
      )
      .describe('at most 5; all of them are told by GET /api/v1/artifacts/{digest}'),
    morePlaces: z.boolean().describe('there are more'),
  })
  .meta({ id: 'FoundArtifact', description: 'a manifest or blob that was found, and where it is' });

export const SearchResults = z
  .object({
    found: z
      .enum(['repositories', 'tags', 'artifacts'])
      .describe('artifacts when a digest or an annotation was asked for, else tags when one was, else repositories'),
    repositories: z.array(InventoryRepository).describe('by name'),
    tags: z.array(FoundTag).describe('by tag, or where a repository was asked for by repository'),
    artifacts: z.array(FoundArtifact).describe('by digest'),
    next: Cursor.optional().describe('cursor of the next page, which may follow a page that is not full; absent on the last'),
  })
  .meta({ id: 'SearchResults', description: 'what the inventory has of what was searched for, in repositories that the key may read' });
export type SearchResults = z.infer<typeof SearchResults>;
