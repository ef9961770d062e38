import type { InventoryManifestList } from '@waybill/contracts/http';
import type { RepositoryAt } from '../api-client/inventory-api.js';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { formatBytes } from '../output/format.js';
import { type Listing, type ListingOptions, pageSize, printListing } from './print-listing.js';
import { repositoryNotes } from './repository-notes.js';

export interface ListArtifactsOptions extends ListingOptions {
  readonly tagged: boolean;
  readonly untagged: boolean;
}

type Manifest = InventoryManifestList['artifacts'][number];
type Platform = NonNullable<Manifest['facts']>['platforms'][number];

const listing: Listing<InventoryManifestList, Manifest> = {
  head: ['digest', 'type', 'bytes', 'platforms', 'created', 'pushed', 'first seen', 'pulled', 'tags'],
  name: 'artifacts',
  itemsOf: ({ artifacts }) => artifacts,
  rowOf: ({ digest, mediaType, facts, pushedAt, firstSeenAt, lastPulledAt, tags, moreTags }) => [
    digest,
    shortType(facts?.artifactType ?? mediaType),
    facts === undefined ? 'not read yet' : formatBytes(facts.blobBytes),
    (facts?.platforms ?? []).map(platformText).join(','),
    facts?.createdAt ?? facts?.createdProblem ?? '',
    pushedAt ?? '',
    firstSeenAt,
    lastPulledAt ?? '',
    [...tags, ...(moreTags ? ['…'] : [])].join(','),
  ],
  notesOn: ({ repository, unreadable }) => [
    ...repositoryNotes(repository),
    ...unreadable.map(({ digest, since, problem }) => `${digest} cannot be read since ${since}: ${problem.message}`),
  ],
  empty: 'no such manifest is known there',
};

/** Manifests of a repository as they were seen last; gives the exit status. */
export function listArtifacts(api: WaybillApi, at: RepositoryAt, options: ListArtifactsOptions, output: Output): Promise<number> {
  return printListing(api.inventory.artifacts(at, { state: stateOf(options), limit: pageSize(options) }), listing, options, output);
}

/** Both is everything. */
function stateOf({ tagged, untagged }: ListArtifactsOptions): string {
  if (tagged === untagged) return 'all';
  return tagged ? 'tagged' : 'untagged';
}

/** `linux/arm/v7` */
export function platformText({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

/** Without what all media types begin with. */
export function shortType(type: string): string {
  return type.replace(/^application\/vnd\.(?:oci|docker)\./, '').replace(/\+json$/, '');
}
