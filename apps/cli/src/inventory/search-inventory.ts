import type { SearchResults } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { shortType } from './list-artifacts.js';
import { type ListingOptions, pageSize, printListing } from './print-listing.js';

export interface SearchOptions extends ListingOptions {
  readonly repository?: string;
  readonly tag?: string;
  readonly annotation?: string;
  readonly digest?: string;
}

type Found = SearchResults['repositories'][number] | SearchResults['tags'][number] | SearchResults['artifacts'][number];

const heads = {
  repositories: ['registry', 'repository', 'state', 'since'],
  tags: ['registry', 'repository', 'tag', 'digest', 'since', 'repository is'],
  artifacts: ['digest', 'type', 'where'],
} as const;

/** Searches all registries; gives the exit status. */
export function searchInventory(api: WaybillApi, options: SearchOptions, output: Output): Promise<number> {
  const { repository, tag, annotation, digest } = options;
  const kind = kindOf(options);
  const pages = api.inventory.search({ repository, tag, annotation, digest, limit: pageSize(options) });
  return printListing<SearchResults, Found>(
    pages,
    { head: heads[kind], name: kind, itemsOf: (page) => page[kind], rowOf, empty: 'nothing of that is known in what this key may read' },
    options,
    output,
  );
}

/** As the API decides it. */
function kindOf({ tag, annotation, digest }: SearchOptions): SearchResults['found'] {
  if (digest !== undefined || annotation !== undefined) return 'artifacts';
  return tag === undefined ? 'repositories' : 'tags';
}

function rowOf(found: Found): string[] {
  if ('places' in found) {
    const places = found.places.map(
      ({ registry, repository, tags }) => `${registry}/${repository}${tags.length === 0 ? '' : `:${tags.join(',')}`}`,
    );
    return [
      found.digest,
      shortType(found.facts?.artifactType ?? found.mediaType),
      [...places, ...(found.morePlaces ? ['…'] : [])].join(' '),
    ];
  }
  const { registry, repository, state } = found;
  if ('tag' in found) return [registry, repository, found.tag, found.digest, found.taggedAt, state];
  return [registry, repository, state, found.since];
}
