import type { InventoryTagHistory, InventoryTagList } from '@waybill/contracts/http';
import type { RepositoryAt } from '../api-client/inventory-api.js';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { type Listing, type ListingOptions, pageSize, printListing } from './print-listing.js';
import { repositoryNotes } from './repository-notes.js';

export interface ListTagsOptions extends ListingOptions {
  readonly prefix?: string;
  readonly reserved: boolean;
}

type Tag = InventoryTagList['tags'][number];
type Event = InventoryTagHistory['events'][number];

const tags: Listing<InventoryTagList, Tag> = {
  head: ['tag', 'digest', 'since', 'by', 'note'],
  name: 'tags',
  itemsOf: (page) => page.tags,
  rowOf: ({ tag, digest, taggedAt, source, missingSince }) => [
    tag,
    digest,
    taggedAt,
    source,
    missingSince === undefined ? '' : `not listed since ${missingSince}`,
  ],
  notesOn: ({ repository }) => repositoryNotes(repository),
  empty: 'no tag is known there',
};

/** Tags of a repository as they were seen last; gives the exit status. */
export function listTags(api: WaybillApi, at: RepositoryAt, options: ListTagsOptions, output: Output): Promise<number> {
  const { prefix, reserved } = options;
  const query = { prefix, reserved: reserved ? 'show' : 'hide', limit: pageSize(options) };
  return printListing(api.inventory.tags(at, query), tags, options, output);
}

const history: Listing<InventoryTagHistory, Event> = {
  head: ['at', 'digest', 'by'],
  name: 'events',
  itemsOf: ({ events }) => events,
  rowOf: ({ at, digest, source }) => [at, digest ?? 'gone', source],
  notesOn: ({ repository }) => repositoryNotes(repository),
  empty: 'nobody has seen this tag',
};

/** What a tag named, newest first; gives the exit status. */
export function showTagHistory(
  api: WaybillApi,
  { tag, ...at }: RepositoryAt & { readonly tag: string },
  options: ListingOptions,
  output: Output,
): Promise<number> {
  return printListing(api.inventory.history(at, tag, { limit: pageSize(options) }), history, options, output);
}
