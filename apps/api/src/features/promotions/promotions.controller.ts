import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Actor, allows } from '@waybill/access';
import { AcceptedPromotion, CreatePromotion, ListPromotions, Promotion, PromotionList } from '@waybill/contracts/http';
import { PromotionReadModel } from '@waybill/persistence';
import { PromotionError } from '@waybill/promotion';
import type { Response } from 'express';
import { z } from 'zod';
import { Requires } from '../../http/access-rule.js';
import { authorise, CurrentActor } from '../../http/actor.js';
import { Documented } from '../../http/api-documentation.js';
import { decodeCursor, encodeCursor } from '../../http/cursor.js';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { toPromotion, toSummary } from './promotion.mapper.js';
import { requestedItems, RequestPromotion } from './request-promotion.js';

const PromotionId = z.uuid();

@ApiTags('promotions')
@ApiBearerAuth()
@Controller('api/v1/promotions')
export class PromotionsController {
  readonly #requestPromotion: RequestPromotion;
  readonly #promotions: PromotionReadModel;
  readonly #idempotent: IdempotentRequests;

  constructor(requestPromotion: RequestPromotion, promotions: PromotionReadModel, idempotent: IdempotentRequests) {
    this.#requestPromotion = requestPromotion;
    this.#promotions = promotions;
    this.#idempotent = idempotent;
  }

  @Post()
  @HttpCode(202)
  @Requires('promotions:create')
  @Documented({
    summary: 'Ask for a promotion',
    status: 202,
    answer: AcceptedPromotion,
    idempotent: true,
    problems: [
      'malformed-json',
      'reference-invalid',
      'no-topology',
      'path-unknown',
      'registry-unknown',
      'repository-unknown',
      'tag-unknown',
      'digest-unknown',
      'source-mismatch',
      'not-admitted',
      'tag-missing',
      'tag-reserved',
      'duplicate-target',
      'target-invalid',
      'tag-immutable',
      'source-unreachable',
      'source-refused',
      'source-broken',
    ],
  })
  async create(
    @Body({ schema: CreatePromotion }) body: CreatePromotion,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<unknown> {
    for (const { source } of requestedItems(body)) {
      authorise(actor, 'promotions:create', { path: body.path, repository: source.repository });
    }
    const answer = await this.#idempotent.handle({
      actor,
      route: 'POST /api/v1/promotions',
      key,
      body,
      work: (claim) => this.#requestPromotion.request(actor, body, claim),
    });
    response.status(answer.status).set(answer.headers);
    return answer.body;
  }

  @Get(':id')
  @Requires('promotions:read')
  @Documented({ summary: 'A promotion with its items and targets', status: 200, answer: Promotion, problems: ['promotion-unknown'] })
  async get(@Param('id') id: string, @CurrentActor() actor: Actor): Promise<Promotion> {
    const row = PromotionId.safeParse(id).success ? await this.#promotions.get(id) : undefined;
    if (row === undefined) {
      throw new PromotionError(`there is no promotion ${JSON.stringify(id.slice(0, 100))}`, {
        code: 'promotion-unknown',
        operation: 'get promotion',
      });
    }
    for (const item of row.items) authorise(actor, 'promotions:read', { path: row.path, repository: item.sourceRepository });
    return toPromotion(row);
  }

  @Get()
  @Requires('promotions:read')
  @Documented({ summary: 'Promotions, newest first', status: 200, answer: PromotionList })
  async list(@Query({ schema: ListPromotions }) page: ListPromotions, @CurrentActor() actor: Actor): Promise<PromotionList> {
    const before = page.cursor === undefined ? undefined : decodeCursor(page.cursor, /^[0-9a-f-]{36}$/);
    const rows = await this.#promotions.list({ limit: page.limit, ...(before === undefined ? {} : { before }) });
    const last = rows.at(-1);
    return {
      promotions: rows
        .filter((row) =>
          row.items.every((item) => allows(actor.grants, 'promotions:read', { path: row.path, repository: item.sourceRepository })),
        )
        .map(toSummary),
      ...(last === undefined || rows.length < page.limit ? {} : { next: encodeCursor(last.id) }),
    };
  }
}
