import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Actor } from '@waybill/access';
import { AcceptedCrawl, Crawl, CrawlList, CreateCrawl, ListCrawls } from '@waybill/contracts/http';
import { InventoryCrawls } from '@waybill/persistence';
import type { Response } from 'express';
import { z } from 'zod';
import { Requires } from '../../http/access-rule.js';
import { CurrentActor } from '../../http/actor.js';
import { Documented } from '../../http/api-documentation.js';
import { ApiError } from '../../http/api-error.js';
import { decodeCursor, encodeCursor } from '../../http/cursor.js';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { answerWith } from '../../http/json-answer.js';
import { InventoryPlaces } from './inventory-places.js';
import { toCrawl } from './inventory.mapper.js';
import { RequestCrawl } from './request-crawl.js';

const CrawlId = z.guid();
const named = { name: 'name of a registry of the active topology' };

@ApiTags('inventory')
@ApiBearerAuth()
@Controller('api/v1/registries/:name/crawls')
export class CrawlsController {
  readonly #requestCrawl: RequestCrawl;
  readonly #crawls: InventoryCrawls;
  readonly #places: InventoryPlaces;
  readonly #idempotent: IdempotentRequests;

  constructor(requestCrawl: RequestCrawl, crawls: InventoryCrawls, places: InventoryPlaces, idempotent: IdempotentRequests) {
    this.#requestCrawl = requestCrawl;
    this.#crawls = crawls;
    this.#places = places;
    this.#idempotent = idempotent;
  }

  @Post()
  @HttpCode(202)
  @Requires('registries:check')
  @Documented({
    summary: 'Ask that a worker looks at a registry now; where a crawl is open that is the answer',
    parameters: named,
    audience: 'clients',
    status: 202,
    answer: AcceptedCrawl,
    body: true,
    idempotent: true,
    problems: ['no-topology', 'registry-unknown', 'registry-not-crawled'],
  })
  async create(
    @Param('name') name: string,
    @Body({ schema: CreateCrawl }) body: CreateCrawl,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    const answer = await this.#idempotent.handle({
      actor,
      route: 'POST /api/v1/registries/:name/crawls',
      key,
      body: { ...body, name },
      work: (claim) => this.#requestCrawl.request(actor, name, { body, claim }),
    });
    return answerWith(response, answer);
  }

  @Get()
  @Requires('artifacts:read')
  @Documented({
    summary: 'Crawls of a registry that are kept, newest first',
    parameters: named,
    audience: 'clients',
    status: 200,
    answer: CrawlList,
    problems: ['request-invalid', 'no-topology', 'registry-unknown'],
  })
  async list(@Param('name') name: string, @Query({ schema: ListCrawls }) { limit, cursor }: ListCrawls): Promise<CrawlList> {
    const registryId = await this.#places.registryId(name);
    const before = cursor === undefined ? undefined : decodeCursor(cursor, 'uuid');
    const rows = await this.#crawls.list(registryId, { before, limit: limit + 1 });
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return { crawls: rows.slice(0, limit).map(toCrawl), ...(last === undefined ? {} : { next: encodeCursor(last.id) }) };
  }

  @Get(':id')
  @Requires('artifacts:read')
  @Documented({
    summary: 'A crawl of a registry, as far as it has come',
    parameters: { ...named, id: 'id of the crawl' },
    audience: 'clients',
    status: 200,
    answer: Crawl,
    problems: ['crawl-unknown'],
  })
  async get(@Param('name') name: string, @Param('id') id: string): Promise<Crawl> {
    const row = CrawlId.safeParse(id).success ? await this.#crawls.get(id) : undefined;
    if (row?.registry === name) return toCrawl(row);
    throw new ApiError('there is no such crawl', { code: 'crawl-unknown' });
  }
}
