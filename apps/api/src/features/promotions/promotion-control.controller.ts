import { Body, Controller, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Actor, Verb } from '@waybill/access';
import { CancelPromotion, Promotion, RetryPromotion } from '@waybill/contracts/http';
import { type Decision, PromotionControl, type PromotionDetail, PromotionReadModel, type StoredAnswer } from '@waybill/persistence';
import type { Response } from 'express';
import { Requires } from '../../http/access-rule.js';
import { authorise, CurrentActor } from '../../http/actor.js';
import { Documented } from '../../http/api-documentation.js';
import { ApiError } from '../../http/api-error.js';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { answerWith, jsonAnswer } from '../../http/json-answer.js';
import { toPromotion } from './promotion.mapper.js';
import { readablePromotion } from './readable-promotion.js';

/** What people decide about a promotion after it was accepted. */
@ApiTags('promotions')
@ApiBearerAuth()
@Controller('api/v1/promotions')
export class PromotionControlController {
  readonly #control: PromotionControl;
  readonly #promotions: PromotionReadModel;
  readonly #idempotent: IdempotentRequests;

  constructor(control: PromotionControl, promotions: PromotionReadModel, idempotent: IdempotentRequests) {
    this.#control = control;
    this.#promotions = promotions;
    this.#idempotent = idempotent;
  }

  /** Said twice it is the same, so it needs no Idempotency-Key. */
  @Post(':id/cancel')
  @HttpCode(202)
  @Requires('promotions:cancel')
  @Documented({
    summary: 'Stop what is left of a promotion: bytes within a second; what is tagged stays',
    parameters: { id: 'id of the promotion' },
    audience: 'clients',
    status: 202,
    answer: Promotion,
    body: true,
    problems: ['promotion-unknown', 'promotion-finished'],
  })
  async cancel(
    @Param('id') id: string,
    @Body({ schema: CancelPromotion }) body: CancelPromotion,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Promotion> {
    const promotion = await this.#permitted(id, actor, 'promotions:cancel');
    await this.#control.cancel(promotion.id, decision(actor, body));
    response.location(locationOf(promotion));
    return toPromotion(await readablePromotion(this.#promotions, id, actor));
  }

  @Post(':id/retry')
  @HttpCode(202)
  @Requires('promotions:retry')
  @Documented({
    summary: 'Take up again what failed or was cancelled of a promotion that has ended, as it was pinned',
    parameters: { id: 'id of the promotion' },
    audience: 'clients',
    status: 202,
    answer: Promotion,
    body: true,
    idempotent: true,
    problems: ['promotion-unknown', 'promotion-unfinished', 'nothing-to-retry', 'path-removed', 'registry-replaced', 'being-deleted'],
  })
  async retry(
    @Param('id') id: string,
    @Body({ schema: RetryPromotion }) body: RetryPromotion,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    const promotion = await this.#permitted(id, actor, 'promotions:retry');
    const answer = await this.#idempotent.handle({
      actor,
      route: `POST ${locationOf(promotion)}/retry`,
      key,
      body,
      work: async (claim) => {
        const answered = await this.#control.retry(promotion.id, decision(actor, body), { ...claim, answerOf: acceptance });
        if (answered !== undefined) return answered;
        throw new ApiError('a repetition of this request took over', { code: 'request-in-flight', retryAfterMs: 1_000 });
      },
    });
    return answerWith(response, answer);
  }

  /** Who may not see it learns nothing of it; who sees it needs the verb for every one of its items. */
  async #permitted(id: string, actor: Actor, verb: Verb): Promise<PromotionDetail> {
    const promotion = await readablePromotion(this.#promotions, id, actor);
    for (const { sourceRepository } of promotion.items) authorise(actor, verb, { path: promotion.path, repository: sourceRepository });
    return promotion;
  }
}

function decision(actor: Actor, { reason }: { readonly reason?: string | undefined }): Decision {
  return { by: actor.principal.id, ...(reason === undefined ? {} : { reason }) };
}

function locationOf({ id }: Pick<PromotionDetail, 'id'>): string {
  return `/api/v1/promotions/${id}`;
}

function acceptance(promotion: PromotionDetail): StoredAnswer {
  return jsonAnswer(202, { Location: locationOf(promotion) }, toPromotion(promotion));
}
