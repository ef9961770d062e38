import type { InventoryRepositoryList } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { type Listing, type ListingOptions, pageSize, printListing } from './print-listing.js';

export interface ListRepositoriesOptions extends ListingOptions {
  readonly prefix?: string;
  readonly state?: string;
}

type Repository = InventoryRepositoryList['repositories'][number];

/** Of a table of repositories. */
export const repositoryHead = ['repository', 'state', 'since', 'tags', 'manifests', 'listed', 'crawled fully', 'problem'];

export function repositoryRow({ repository, state, since, tags, manifests, listedAt, fullCrawlAt, problem }: Repository): string[] {
  return [repository, state, since, String(tags), String(manifests), listedAt ?? 'never', fullCrawlAt ?? 'never', problem?.message ?? ''];
}

const listing: Listing<InventoryRepositoryList, Repository> = {
  head: repositoryHead,
  name: 'repositories',
  itemsOf: ({ repositories }) => repositories,
  rowOf: repositoryRow,
  notesOn: ({ newestCrawl }) => (newestCrawl === undefined ? ['nobody has looked at this registry yet: see waybill inventory crawl'] : []),
  empty: 'no repository that this key may read is known there',
};

/** Repositories of a registry as they were seen last; gives the exit status. */
export function listRepositories(api: WaybillApi, registry: string, options: ListRepositoriesOptions, output: Output): Promise<number> {
  const { prefix, state } = options;
  return printListing(api.inventory.repositories(registry, { prefix, state, limit: pageSize(options) }), listing, options, output);
}
