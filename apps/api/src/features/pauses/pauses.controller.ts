import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Actor, allows } from '@waybill/access';
import { CreatePause, ListPauses, Pause, PauseList, ResumePause } from '@waybill/contracts/http';
import { type PauseRow, Pauses } from '@waybill/persistence';
import type { Response } from 'express';
import { z } from 'zod';
import { Requires } from '../../http/access-rule.js';
import { CurrentActor } from '../../http/actor.js';
import { Documented } from '../../http/api-documentation.js';
import { ApiError } from '../../http/api-error.js';
import { decodeCursor, encodeCursor } from '../../http/cursor.js';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { answerWith } from '../../http/json-answer.js';
import { toPause } from '../../http/pause-view.js';
import { visiblePage } from '../../http/visible-page.js';
import { authorisePause } from './authorise-pause.js';
import { CreatePauses } from './create-pauses.js';

const PauseId = z.guid();

@ApiTags('pauses')
@ApiBearerAuth()
@Controller('api/v1/pauses')
export class PausesController {
  readonly #createPauses: CreatePauses;
  readonly #pauses: Pauses;
  readonly #idempotent: IdempotentRequests;

  constructor(createPauses: CreatePauses, pauses: Pauses, idempotent: IdempotentRequests) {
    this.#createPauses = createPauses;
    this.#pauses = pauses;
    this.#idempotent = idempotent;
  }

  @Post()
  @HttpCode(201)
  @Requires('pauses:manage')
  @Documented({
    summary: 'Hold a path, a registry or everything still: nothing is begun, and nothing is tagged; what is requested waits',
    audience: 'operators',
    status: 201,
    answer: Pause,
    body: true,
    idempotent: true,
    problems: ['no-topology', 'path-unknown', 'registry-unknown', 'already-paused'],
  })
  async create(
    @Body({ schema: CreatePause }) body: CreatePause,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    authorisePause(actor, body);
    const answer = await this.#idempotent.handle({
      actor,
      route: 'POST /api/v1/pauses',
      key,
      body,
      work: (claim) => this.#createPauses.create(actor, body, claim),
    });
    return answerWith(response, answer);
  }

  @Get()
  @Requires('promotions:read')
  @Documented({
    summary: 'Pauses, newest first: those that hold now, or the history',
    audience: 'clients',
    status: 200,
    answer: PauseList,
    problems: ['request-invalid'],
  })
  async list(@Query({ schema: ListPauses }) { limit, cursor, state }: ListPauses, @CurrentActor() actor: Actor): Promise<PauseList> {
    const { rows, next } = await visiblePage<PauseRow, string>({
      limit,
      after: cursor === undefined ? undefined : decodeCursor(cursor, 'uuid'),
      read: (before, count) => this.#pauses.list({ limit: count, isHistory: state === 'all', ...(before === undefined ? {} : { before }) }),
      positionOf: ({ id }) => id,
      visible: (candidates) => candidates.filter((row) => mayRead(actor, row)),
    });
    return { pauses: rows.map(toPause), ...(next === undefined ? {} : { next: encodeCursor(next) }) };
  }

  @Get(':id')
  @Requires('promotions:read')
  @Documented({
    summary: 'A pause',
    parameters: { id: 'id of the pause' },
    audience: 'clients',
    status: 200,
    answer: Pause,
    problems: ['pause-unknown'],
  })
  async get(@Param('id') id: string, @CurrentActor() actor: Actor): Promise<Pause> {
    const row = await this.#find(id);
    if (mayRead(actor, row)) return toPause(row);
    throw unknown();
  }

  /** Said twice it is the same, so it needs no Idempotency-Key. */
  @Post(':id/resume')
  @HttpCode(200)
  @Requires('pauses:manage')
  @Documented({
    summary: 'End a pause: what it held goes on at once',
    parameters: { id: 'id of the pause' },
    audience: 'operators',
    status: 200,
    answer: Pause,
    body: true,
    problems: ['pause-unknown', 'pause-of-collection'],
  })
  async resume(
    @Param('id') id: string,
    @Body({ schema: ResumePause }) { reason }: ResumePause,
    @CurrentActor() actor: Actor,
  ): Promise<Pause> {
    const pause = await this.#find(id);
    authorisePause(actor, pause);
    if (pause.scope === 'collection') throw ofCollection(pause);
    const resumed = await this.#pauses.resume(pause.id, { by: actor.principal.id, ...(reason === undefined ? {} : { reason }) });
    if (resumed === undefined) throw unknown();
    return toPause(resumed);
  }

  async #find(id: string): Promise<PauseRow> {
    const row = PauseId.safeParse(id).success ? await this.#pauses.get(id) : undefined;
    if (row === undefined) throw unknown();
    return row;
  }
}

/** Registries are no secret of a path: whoever reads promotions may know what holds them up. */
function mayRead(actor: Actor, { scope, name }: PauseRow): boolean {
  return scope !== 'path' || allows(actor.grants, 'promotions:read', { path: name });
}

function ofCollection({ name }: PauseRow): ApiError {
  return new ApiError(`this pause ends with the collection of ${name}`, { code: 'pause-of-collection' });
}

function unknown(): ApiError {
  return new ApiError('there is no such pause', { code: 'pause-unknown' });
}
