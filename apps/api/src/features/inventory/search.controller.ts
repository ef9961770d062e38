import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Actor } from '@waybill/access';
import { SearchInventory, SearchResults } from '@waybill/contracts/http';
import { parseDigest } from '@waybill/oci-model';
import { InventorySearch, type SearchScope } from '@waybill/persistence';
import { Requires } from '../../http/access-rule.js';
import { CurrentActor } from '../../http/actor.js';
import { ApiError } from '../../http/api-error.js';
import { Documented } from '../../http/api-documentation.js';
import { decodeCursor, encodeCursor } from '../../http/cursor.js';
import { InventoryPlaces } from './inventory-places.js';
import { toRepositoryView } from './inventory.mapper.js';
import { nameOf, type RegistryNames, toFoundArtifact, toFoundTag } from './search.mapper.js';
import { visibleTo } from '../../http/visible-to.js';

/** What every search is given. */
interface Searching {
  readonly query: SearchInventory;
  readonly scope: SearchScope;
  readonly names: RegistryNames;
}

@ApiTags('inventory')
@ApiBearerAuth()
@Controller('api/v1/search')
export class SearchController {
  readonly #search: InventorySearch;
  readonly #places: InventoryPlaces;

  constructor(search: InventorySearch, places: InventoryPlaces) {
    this.#search = search;
    this.#places = places;
  }

  @Get()
  @Requires('artifacts:read')
  @Documented({
    summary: 'Search the inventory of all registries by repository, tag, annotation and digest; what is given must all hold',
    audience: 'clients',
    status: 200,
    answer: SearchResults,
    problems: ['request-invalid', 'no-topology'],
  })
  async search(@Query({ schema: SearchInventory }) query: SearchInventory, @CurrentActor() actor: Actor): Promise<SearchResults> {
    const { repository, tag, annotation, digest } = query;
    const names = await this.#places.registryNames();
    const scope = { registries: [...names.keys()], visible: visibleTo(actor), repository };
    if (digest !== undefined || annotation !== undefined) return await this.#artifacts({ query, scope, names });
    if (tag !== undefined) return await this.#tags({ query, scope, names }, tag);
    if (repository !== undefined) return await this.#repositories({ query, scope, names });
    throw new ApiError('say what to search for: repository, tag, annotation or digest', { code: 'request-invalid' });
  }

  async #repositories({ query: { limit, cursor }, scope, names }: Searching): Promise<SearchResults> {
    const after = cursor === undefined ? undefined : BigInt(decodeCursor(cursor, 'number'));
    const { rows, next } = await this.#search.repositories({ ...scope, after, limit });
    const repositories = rows.map((row) => toRepositoryView(row, nameOf(names, row.registryId)));
    return { found: 'repositories', ...found({ repositories }), ...cursorOf(next?.toString()) };
  }

  async #tags({ query: { limit, cursor }, scope, names }: Searching, tag: string): Promise<SearchResults> {
    const after = cursor === undefined ? undefined : tagPositionIn(decodeCursor(cursor, 'found-tag'));
    const { rows, next } = await this.#search.tags({ ...scope, tag, after, limit });
    const position = next === undefined ? undefined : `${next.tag} ${next.repositoryId}`;
    return { found: 'tags', ...found({ tags: rows.map((row) => toFoundTag(row, names)) }), ...cursorOf(position) };
  }

  async #artifacts({ query, scope, names }: Searching): Promise<SearchResults> {
    const { limit, cursor, tag, digest, annotation: text } = query;
    const after = cursor === undefined ? undefined : parseDigest(decodeCursor(cursor, 'digest'));
    const equals = text?.indexOf('=') ?? -1;
    const annotation = text === undefined ? undefined : { key: text.slice(0, equals), value: text.slice(equals + 1) };
    const { rows, next } = await this.#search.artifacts({ ...scope, tag, digest, annotation, after, limit });
    return { found: 'artifacts', ...found({ artifacts: rows.map((row) => toFoundArtifact(row, names)) }), ...cursorOf(next) };
  }
}

function found(some: Partial<Pick<SearchResults, 'repositories' | 'tags' | 'artifacts'>>) {
  return { repositories: [], tags: [], artifacts: [], ...some };
}

function tagPositionIn(position: string): { readonly tag: string; readonly repositoryId: bigint } {
  const [tag = '', id = ''] = position.split(' ');
  return { tag, repositoryId: BigInt(id) };
}

function cursorOf(next: string | undefined): { readonly next?: string } {
  return next === undefined ? {} : { next: encodeCursor(next) };
}
