import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Actor, allows } from '@waybill/access';
import { FollowEvents as FollowEventsQuery, FollowPromotion } from '@waybill/contracts/http';
import { ApiKeys, TopologyRevisions } from '@waybill/persistence';
import { PromotionError } from '@waybill/promotion';
import { nearest, TopologyError } from '@waybill/topology';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { Requires } from '../../http/access-rule.js';
import { CurrentActor } from '../../http/actor.js';
import { ApiError } from '../../http/api-error.js';
import { DocumentedStream } from '../../http/api-documentation.js';
import { bearerToken } from '../../http/authenticate.guard.js';
import { FollowEvents, mayRead } from './follow-events.js';
import { PromotionScopes } from './promotion-scopes.js';

const PromotionId = z.guid().lowercase();

@ApiTags('events')
@ApiBearerAuth()
@Controller('api/v1')
export class EventsController {
  readonly #followEvents: FollowEvents;
  readonly #scopes: PromotionScopes;
  readonly #keys: ApiKeys;
  readonly #revisions: TopologyRevisions;

  constructor(followEvents: FollowEvents, scopes: PromotionScopes, keys: ApiKeys, revisions: TopologyRevisions) {
    this.#followEvents = followEvents;
    this.#scopes = scopes;
    this.#keys = keys;
    this.#revisions = revisions;
  }

  @Get('promotions/:id/events')
  @Requires('promotions:read')
  @DocumentedStream({
    summary: 'Follow one promotion until nothing of it is left to do',
    parameters: { id: 'id of the promotion' },
    events: ['position', 'reset', 'promotion', 'target', 'tag', 'progress', 'end'],
    problems: ['promotion-unknown', 'request-invalid', 'too-many-streams'],
  })
  async ofPromotion(
    @Param('id') id: string,
    @Query({ schema: FollowPromotion }) { after }: FollowPromotion,
    @CurrentActor() actor: Actor,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const promotionId = await this.#readable(id, actor);
    const reading = { actor, authenticate: this.#again(request), after: positionOf(request, after), promotionId };
    await this.#followEvents.follow(reading, response);
  }

  @Get('events')
  @Requires('promotions:read')
  @DocumentedStream({
    summary: 'Follow every promotion that the key may read',
    events: ['position', 'reset', 'promotion', 'target', 'tag'],
    problems: ['request-invalid', 'path-unknown', 'too-many-streams'],
  })
  async ofAll(
    @Query({ schema: FollowEventsQuery }) { after, path, state }: FollowEventsQuery,
    @CurrentActor() actor: Actor,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const reading = { actor, authenticate: this.#again(request), after: positionOf(request, after), path, state };
    if (path !== undefined) await this.#assertPath(path, actor);
    await this.#followEvents.follow(reading, response);
  }

  /** What one may not see is as unknown as what is not there. */
  async #readable(id: string, actor: Actor): Promise<string> {
    const known = PromotionId.safeParse(id.toLowerCase());
    const scope = known.success ? (await this.#scopes.of([known.data])).get(known.data) : undefined;
    if (known.success && scope !== undefined && mayRead(actor, scope)) return known.data;
    throw new PromotionError(`there is no promotion ${JSON.stringify(id.slice(0, 100))} that this key may read`, {
      code: 'promotion-unknown',
      operation: 'follow promotion',
    });
  }

  /** Nothing would ever be heard of a path that is not there; near are those that the key may read. */
  async #assertPath(path: string, actor: Actor): Promise<void> {
    const paths = Object.keys((await this.#revisions.active())?.topology.paths ?? {});
    if (paths.includes(path)) return;
    const readable = paths.filter((name) => allows(actor.grants, 'promotions:read', { path: name }));
    throw new TopologyError(`the topology has no path ${JSON.stringify(path)}`, {
      code: 'path-unknown',
      operation: 'follow events',
      details: { near: nearest(path, readable) },
    });
  }

  #again(request: Request): () => Promise<Actor | undefined> {
    return () => this.#keys.authenticate(bearerToken(request));
  }
}

/** What a browser sends by itself when it comes back says more than what the address was written with. */
function positionOf(request: Request, after: string | undefined): bigint | undefined {
  const lastEventId = request.get('last-event-id') ?? '';
  const text = lastEventId === '' ? after : lastEventId;
  if (text === undefined) return undefined;
  if (FollowPromotion.shape.after.safeParse(text).success) return BigInt(text);
  const detail = 'Last-Event-ID is not the id of an event';
  throw new ApiError(detail, { code: 'request-invalid', errors: [{ detail }] });
}
