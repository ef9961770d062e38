import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Actor } from '@waybill/access';
import {
  InventoryManifestList,
  InventoryRepositoryList,
  InventoryTagHistory,
  InventoryTagList,
  ListInventoryManifests,
  ListInventoryRepositories,
  ListInventoryTagHistory,
  ListInventoryTags,
} from '@waybill/contracts/http';
import { parseDigest, parseTag } from '@waybill/oci-model';
import {
  InventoryCrawls,
  InventoryManifests,
  InventoryRepositories,
  type InventoryTag,
  type InventoryTagEvent,
  InventoryTags,
} from '@waybill/persistence';
import { Requires } from '../../http/access-rule.js';
import { CurrentActor } from '../../http/actor.js';
import { Documented } from '../../http/api-documentation.js';
import { decodeCursor, encodeCursor } from '../../http/cursor.js';
import { InventoryPlaces, type RepositorySegments } from './inventory-places.js';
import { toCrawl, toManifestView, toRepositoryView, toTagEventView, toTagView, toUnreadable } from './inventory.mapper.js';
import { visibleTo } from '../../http/visible-to.js';

const ofRegistry = { name: 'name of a registry of the active topology' };
const ofRepository = { ...ofRegistry, repository: 'repository, without the registry’s prefix; its slashes may be encoded' };
const maxUnreadable = 20;

@ApiTags('inventory')
@ApiBearerAuth()
@Controller('api/v1/registries/:name/repositories')
export class InventoryController {
  readonly #places: InventoryPlaces;
  readonly #repositories: InventoryRepositories;
  readonly #tags: InventoryTags;
  readonly #manifests: InventoryManifests;
  readonly #crawls: InventoryCrawls;

  constructor(
    places: InventoryPlaces,
    repositories: InventoryRepositories,
    tags: InventoryTags,
    manifests: InventoryManifests,
    crawls: InventoryCrawls,
  ) {
    this.#crawls = crawls;
    this.#places = places;
    this.#repositories = repositories;
    this.#tags = tags;
    this.#manifests = manifests;
  }

  @Get()
  @Requires('artifacts:read')
  @Documented({
    summary: 'Repositories of a registry that the key may read, as they were seen last, with those that are gone or could not be looked at',
    parameters: ofRegistry,
    audience: 'clients',
    status: 200,
    answer: InventoryRepositoryList,
    problems: ['request-invalid', 'no-topology', 'registry-unknown'],
  })
  async repositories(
    @Param('name') name: string,
    @Query({ schema: ListInventoryRepositories }) { limit, cursor, prefix = '', state }: ListInventoryRepositories,
    @CurrentActor() actor: Actor,
  ): Promise<InventoryRepositoryList> {
    const registryId = await this.#places.registryId(name);
    const after = cursor === undefined ? undefined : decodeCursor(cursor, 'name');
    const { rows, next } = await this.#repositories.list({ registryId, visible: visibleTo(actor), prefix, state, after, limit });
    const [newest] = await this.#crawls.list(registryId, { before: undefined, limit: 1 });
    return {
      ...(newest === undefined ? {} : { newestCrawl: toCrawl(newest) }),
      repositories: rows.map((row) => toRepositoryView(row, name)),
      ...cursorOf(next),
    };
  }

  @Get('*repository/tags')
  @Requires('artifacts:read')
  @Documented({
    summary: 'Tags of a repository as they were seen last',
    parameters: ofRepository,
    audience: 'clients',
    status: 200,
    answer: InventoryTagList,
    problems: ['request-invalid', 'reference-invalid', 'no-topology', 'registry-unknown', 'repository-unknown'],
  })
  async tags(
    @Param('name') name: string,
    @Param('repository') segments: RepositorySegments,
    @Query({ schema: ListInventoryTags }) { limit, cursor, prefix = '', reserved }: ListInventoryTags,
    @CurrentActor() actor: Actor,
  ): Promise<InventoryTagList> {
    const repository = await this.#places.repository(actor, name, segments);
    const after = cursor === undefined ? undefined : decodeCursor(cursor, 'tag');
    const withReserved = reserved === 'show';
    const rows = await this.#tags.list({ repositoryId: repository.id, prefix, withReserved, after, limit: limit + 1 });
    const page = pageOf(rows, limit, (tag: InventoryTag) => tag.name);
    return { repository: toRepositoryView(repository, name), tags: page.rows.map(toTagView), ...cursorOf(page.next) };
  }

  @Get('*repository/tags/:tag/history')
  @Requires('artifacts:read')
  @Documented({
    summary: 'What a tag named, newest first, as far as it was seen',
    parameters: { ...ofRepository, tag: 'tag, gone or not' },
    audience: 'clients',
    status: 200,
    answer: InventoryTagHistory,
    problems: ['request-invalid', 'reference-invalid', 'no-topology', 'registry-unknown', 'repository-unknown'],
  })
  async history(
    @Param('name') name: string,
    @Param('repository') segments: RepositorySegments,
    @Param('tag') text: string,
    @Query({ schema: ListInventoryTagHistory }) { limit, cursor }: ListInventoryTagHistory,
    @CurrentActor() actor: Actor,
  ): Promise<InventoryTagHistory> {
    const tag = parseTag(text);
    const repository = await this.#places.repository(actor, name, segments);
    const before = cursor === undefined ? undefined : BigInt(decodeCursor(cursor, 'number'));
    const of = { registryId: repository.registryId, repository: repository.name, tag };
    const rows = await this.#tags.history({ ...of, before, limit: limit + 1 });
    const page = pageOf(rows, limit, (event: InventoryTagEvent) => String(event.id));
    return { repository: toRepositoryView(repository, name), tag, events: page.rows.map(toTagEventView), ...cursorOf(page.next) };
  }

  @Get('*repository/artifacts')
  @Requires('artifacts:read')
  @Documented({
    summary: 'Manifests of a repository as they were seen last, tagged or not, and those that cannot be read',
    parameters: ofRepository,
    audience: 'clients',
    status: 200,
    answer: InventoryManifestList,
    problems: ['request-invalid', 'reference-invalid', 'no-topology', 'registry-unknown', 'repository-unknown'],
  })
  async artifacts(
    @Param('name') name: string,
    @Param('repository') segments: RepositorySegments,
    @Query({ schema: ListInventoryManifests }) { limit, cursor, state }: ListInventoryManifests,
    @CurrentActor() actor: Actor,
  ): Promise<InventoryManifestList> {
    const repository = await this.#places.repository(actor, name, segments);
    const after = cursor === undefined ? undefined : parseDigest(decodeCursor(cursor, 'digest'));
    const of = { registryId: repository.registryId, repositoryId: repository.id, repository: repository.name };
    const { rows, next } = await this.#manifests.list({ ...of, state, after, limit });
    const unreadable = after === undefined ? await this.#repositories.unreadable(repository.id, maxUnreadable) : [];
    return {
      repository: toRepositoryView(repository, name),
      artifacts: rows.map((row) => toManifestView(row, repository)),
      unreadable: unreadable.map(toUnreadable),
      ...cursorOf(next),
    };
  }
}

/** Of one row more than the page may hold. */
function pageOf<Row>(rows: readonly Row[], limit: number, positionOf: (row: Row) => string) {
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return { rows: rows.slice(0, limit), next: last === undefined ? undefined : positionOf(last) };
}

function cursorOf(next: string | undefined): { readonly next?: string } {
  return next === undefined ? {} : { next: encodeCursor(next) };
}
