import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Actor } from '@waybill/access';
import { AcceptedPromotion, CreatePromotion, ListPromotions, Promotion, PromotionList } from '@waybill/contracts/http';
import { Principals, type PromotionCandidate, PromotionReadModel } from '@waybill/persistence';
import type { Response } from 'express';
import { Requires } from '../../http/access-rule.js';
import { CurrentActor } from '../../http/actor.js';
import { Documented } from '../../http/api-documentation.js';
import { decodeCursor, encodeCursor } from '../../http/cursor.js';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { answerWith } from '../../http/json-answer.js';
import { visiblePage } from '../../http/visible-page.js';
import { toPromotion, toSummary } from './promotion.mapper.js';
import { toPromotionFilter } from './promotion-filter.mapper.js';
import { mayRead, readablePromotion } from './readable-promotion.js';
import { authoriseRequest } from './plan-promotion.js';
import { requestProblems } from './request-problems.js';
import { RequestPromotion } from './request-promotion.js';
import { resolvePrincipal } from './resolve-principal.js';

@ApiTags('promotions')
@ApiBearerAuth()
@Controller('api/v1/promotions')
export class PromotionsController {
  readonly #requestPromotion: RequestPromotion;
  readonly #promotions: PromotionReadModel;
  readonly #idempotent: IdempotentRequests;
  readonly #principals: Principals;

  constructor(requestPromotion: RequestPromotion, promotions: PromotionReadModel, idempotent: IdempotentRequests, principals: Principals) {
    this.#requestPromotion = requestPromotion;
    this.#promotions = promotions;
    this.#idempotent = idempotent;
    this.#principals = principals;
  }

  @Post()
  @HttpCode(202)
  @Requires('promotions:create')
  @Documented({
    summary: 'Ask for a promotion',
    audience: 'clients',
    status: 202,
    answer: AcceptedPromotion,
    body: true,
    idempotent: true,
    problems: [...requestProblems, 'tag-immutable', 'topology-changed', 'being-deleted'],
  })
  async create(
    @Body({ schema: CreatePromotion }) body: CreatePromotion,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    authoriseRequest(actor, body);
    const answer = await this.#idempotent.handle({
      actor,
      route: 'POST /api/v1/promotions',
      key,
      body,
      work: (claim) => this.#requestPromotion.request(actor, body, claim),
    });
    return answerWith(response, answer);
  }

  @Get(':id')
  @Requires('promotions:read')
  @Documented({
    summary: 'A promotion with its items and targets',
    parameters: { id: 'id of the promotion' },
    audience: 'clients',
    status: 200,
    answer: Promotion,
    problems: ['promotion-unknown'],
  })
  async get(@Param('id') id: string, @CurrentActor() actor: Actor): Promise<Promotion> {
    return toPromotion(await readablePromotion(this.#promotions, id, actor));
  }

  @Get()
  @Requires('promotions:read')
  @Documented({
    summary: 'Promotions that the key may read, newest first; every filter that is given must hold',
    audience: 'clients',
    status: 200,
    answer: PromotionList,
    problems: ['request-invalid'],
  })
  async list(@Query({ schema: ListPromotions }) query: ListPromotions, @CurrentActor() actor: Actor): Promise<PromotionList> {
    const { limit, cursor, principal } = query;
    const filter = toPromotionFilter(query, principal === undefined ? undefined : await resolvePrincipal(this.#principals, principal));
    const { rows, next } = await visiblePage<PromotionCandidate, string>({
      limit,
      after: cursor === undefined ? undefined : decodeCursor(cursor, 'uuid'),
      read: (before, count) => this.#promotions.list({ limit: count, ...(before === undefined ? {} : { before }) }, filter),
      positionOf: ({ id }) => id,
      visible: (candidates) => candidates.filter(({ summary }) => summary !== undefined && mayRead(actor, summary)),
    });
    const promotions = rows.flatMap(({ summary }) => (summary === undefined ? [] : [toSummary(summary)]));
    return { promotions, ...(next === undefined ? {} : { next: encodeCursor(next) }) };
  }
}
