import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Actor } from '@waybill/access';
import { Collection, CollectionList, CreateCollection, ListCollections } from '@waybill/contracts/http';
import { Collections } from '@waybill/persistence';
import type { Response } from 'express';
import { z } from 'zod';
import { Requires } from '../../http/access-rule.js';
import { CurrentActor } from '../../http/actor.js';
import { Documented } from '../../http/api-documentation.js';
import { ApiError } from '../../http/api-error.js';
import { authoriseEverywhere } from '../../http/authorise-everywhere.js';
import { decodeCursor, encodeCursor } from '../../http/cursor.js';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { answerWith } from '../../http/json-answer.js';
import { collectionAdvice } from './collection-advice.js';
import { toCollection } from './collection.mapper.js';
import { RequestCollection } from './request-collection.js';

const CollectionId = z.guid();
const named = { name: 'name of a registry of the active topology' };

@ApiTags('registries')
@ApiBearerAuth()
@Controller('api/v1/registries/:name/collections')
export class CollectionsController {
  readonly #requestCollection: RequestCollection;
  readonly #collections: Collections;
  readonly #idempotent: IdempotentRequests;

  constructor(requestCollection: RequestCollection, collections: Collections, idempotent: IdempotentRequests) {
    this.#requestCollection = requestCollection;
    this.#collections = collections;
    this.#idempotent = idempotent;
  }

  @Post()
  @HttpCode(202)
  @Requires('registries:collect')
  @Documented({
    summary: 'Ask that a local registry gives the space of what no manifest needs back; it refuses writes meanwhile, and copies to it wait',
    parameters: named,
    audience: 'operators',
    status: 202,
    answer: Collection,
    body: true,
    idempotent: true,
    problems: ['no-topology', 'registry-unknown', 'registry-not-collected', 'already-collecting', 'topology-changed'],
  })
  async create(
    @Param('name') name: string,
    @Body({ schema: CreateCollection }) body: CreateCollection,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    authoriseEverywhere(actor, 'registries:collect');
    const answer = await this.#idempotent.handle({
      actor,
      route: 'POST /api/v1/registries/:name/collections',
      key,
      body: { ...body, name },
      work: (claim) => this.#requestCollection.request(actor, name, { body, claim }),
    });
    return answerWith(response, answer);
  }

  @Get()
  @Requires('registries:collect')
  @Documented({
    summary: 'Collections of a registry, newest first; of one that Waybill does not run, how it gives space back',
    parameters: named,
    audience: 'operators',
    status: 200,
    answer: CollectionList,
    problems: ['no-topology', 'registry-unknown', 'request-invalid'],
  })
  async list(@Param('name') name: string, @Query({ schema: ListCollections }) { limit, cursor }: ListCollections): Promise<CollectionList> {
    const registry = await this.#requestCollection.registry(name);
    const before = cursor === undefined ? {} : { before: decodeCursor(cursor, 'uuid') };
    const rows = await this.#collections.list(name, { ...before, limit: limit + 1 });
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return {
      ...(registry.local === undefined ? { advice: collectionAdvice(registry) } : {}),
      collections: rows.slice(0, limit).map(toCollection),
      ...(last === undefined ? {} : { next: encodeCursor(last.id) }),
    };
  }

  @Get(':id')
  @Requires('registries:collect')
  @Documented({
    summary: 'A collection, as far as it has come',
    parameters: { ...named, id: 'id of the collection' },
    audience: 'operators',
    status: 200,
    answer: Collection,
    problems: ['collection-unknown'],
  })
  async get(@Param('name') name: string, @Param('id') id: string): Promise<Collection> {
    const row = CollectionId.safeParse(id).success ? await this.#collections.get(id) : undefined;
    if (row?.registry === name) return toCollection(row);
    throw new ApiError('there is no such collection', { code: 'collection-unknown' });
  }
}
