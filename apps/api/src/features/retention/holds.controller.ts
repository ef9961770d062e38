import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Actor, allows } from '@waybill/access';
import { CreateHold, Hold, HoldList, ListHolds, ReleaseHold } from '@waybill/contracts/http';
import { type HoldRow, Holds, type HoldScope } from '@waybill/persistence';
import type { Response } from 'express';
import { z } from 'zod';
import { Requires } from '../../http/access-rule.js';
import { authorise, CurrentActor } from '../../http/actor.js';
import { Documented } from '../../http/api-documentation.js';
import { ApiError } from '../../http/api-error.js';
import { authoriseEverywhere } from '../../http/authorise-everywhere.js';
import { decodeCursor, encodeCursor } from '../../http/cursor.js';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { answerWith } from '../../http/json-answer.js';
import { visiblePage } from '../../http/visible-page.js';
import { toHold } from './hold.mapper.js';
import { PlaceHold } from './place-hold.js';

const HoldId = z.guid();
const parameters = { id: 'id of the hold' };

@ApiTags('retention')
@ApiBearerAuth()
@Controller('api/v1/retention/holds')
export class HoldsController {
  readonly #placeHold: PlaceHold;
  readonly #holds: Holds;
  readonly #idempotent: IdempotentRequests;

  constructor(placeHold: PlaceHold, holds: Holds, idempotent: IdempotentRequests) {
    this.#placeHold = placeHold;
    this.#holds = holds;
    this.#idempotent = idempotent;
  }

  @Post()
  @HttpCode(201)
  @Requires('retention:hold')
  @Documented({
    summary: 'Hold a digest, a tag or a repository: retention never removes it, whatever the policies say',
    audience: 'clients',
    status: 201,
    answer: Hold,
    body: true,
    idempotent: true,
    problems: ['no-topology', 'registry-unknown', 'being-deleted'],
  })
  async create(
    @Body({ schema: CreateHold }) body: CreateHold,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    authoriseHold(actor, body);
    const route = 'POST /api/v1/retention/holds';
    const answer = await this.#idempotent.handle({ actor, route, key, body, work: (claim) => this.#placeHold.place(actor, body, claim) });
    return answerWith(response, answer);
  }

  @Get()
  @Requires('retention:read')
  @Documented({
    summary: 'Holds, newest first: those that hold now, or the history',
    audience: 'clients',
    status: 200,
    answer: HoldList,
    problems: ['request-invalid'],
  })
  async list(@Query({ schema: ListHolds }) { limit, cursor, state }: ListHolds, @CurrentActor() actor: Actor): Promise<HoldList> {
    const { rows, next } = await visiblePage<HoldRow, string>({
      limit,
      after: cursor === undefined ? undefined : decodeCursor(cursor, 'uuid'),
      read: (before, count) => this.#holds.list({ limit: count, isHistory: state === 'all', ...(before === undefined ? {} : { before }) }),
      positionOf: ({ id }) => id,
      visible: (candidates) => candidates.filter(({ on }) => mayRead(actor, on)),
    });
    return { holds: rows.map(toHold), ...(next === undefined ? {} : { next: encodeCursor(next) }) };
  }

  @Get(':id')
  @Requires('retention:read')
  @Documented({ summary: 'A hold', parameters, audience: 'clients', status: 200, answer: Hold, problems: ['hold-unknown'] })
  async get(@Param('id') id: string, @CurrentActor() actor: Actor): Promise<Hold> {
    const row = await this.#find(id);
    if (mayRead(actor, row.on)) return toHold(row);
    throw unknown();
  }

  /** Said twice it is the same. */
  @Post(':id/release')
  @HttpCode(200)
  @Requires('retention:hold')
  @Documented({
    summary: 'End a hold: policies decide again',
    parameters,
    audience: 'clients',
    status: 200,
    answer: Hold,
    body: true,
    problems: ['hold-unknown'],
  })
  async release(
    @Param('id') id: string,
    @Body({ schema: ReleaseHold }) { reason }: ReleaseHold,
    @CurrentActor() actor: Actor,
  ): Promise<Hold> {
    const { on } = await this.#find(id);
    authoriseHold(actor, on);
    return toHold(await this.#holds.release(id, { by: actor.principal.id, ...(reason === undefined ? {} : { reason }) }));
  }

  async #find(id: string): Promise<HoldRow> {
    const row = HoldId.safeParse(id).success ? await this.#holds.get(id) : undefined;
    if (row === undefined) throw unknown();
    return row;
  }
}

/** @throws ApiError `forbidden` */
function authoriseHold(actor: Actor, { repository }: { readonly repository?: string | undefined }): void {
  if (repository === undefined) authoriseEverywhere(actor, 'retention:hold');
  else authorise(actor, 'retention:hold', { repository });
}

/** A digest alone says nothing of where it is. */
function mayRead(actor: Actor, { repository }: HoldScope): boolean {
  return repository === undefined || allows(actor.grants, 'retention:read', { repository });
}

function unknown(): ApiError {
  return new ApiError('there is no such hold', { code: 'hold-unknown' });
}
