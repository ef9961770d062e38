import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Actor } from '@waybill/access';
import { CreatePromotion, PromotionEstimate } from '@waybill/contracts/http';
import type { ForecastLimits } from '@waybill/promotion';
import { Requires } from '../../http/access-rule.js';
import { CurrentActor } from '../../http/actor.js';
import { Documented } from '../../http/api-documentation.js';
import { toPromotionEstimate } from './estimate.mapper.js';
import { authoriseRequest, PlanPromotion } from './plan-promotion.js';
import { requestProblems } from './request-problems.js';

/** Of each item; what is beyond is said to be unknown. */
const maxManifests = 256;
const maxProbes = 512;
/** Of all items and targets together. */
const maxProbesOfAll = 8_192;

@ApiTags('promotions')
@ApiBearerAuth()
@Controller('api/v1/promotions/estimate')
export class EstimatesController {
  readonly #planner: PlanPromotion;

  constructor(planner: PlanPromotion) {
    this.#planner = planner;
  }

  @Post()
  @HttpCode(200)
  @Requires('promotions:create')
  @Documented({
    summary: 'What a request for this promotion would do, cost and meet; nothing is written',
    audience: 'clients',
    status: 200,
    answer: PromotionEstimate,
    body: true,
    problems: requestProblems,
  })
  async estimate(@Body({ schema: CreatePromotion }) body: CreatePromotion, @CurrentActor() actor: Actor): Promise<PromotionEstimate> {
    authoriseRequest(actor, body);
    return toPromotionEstimate(await this.#planner.plan(actor, body, limitsFor(body.items.length)));
  }
}

function limitsFor(items: number): ForecastLimits {
  return { manifests: maxManifests, probes: Math.min(maxProbes, Math.ceil(maxProbesOfAll / items)) };
}
