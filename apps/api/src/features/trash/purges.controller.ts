import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Actor, allows } from '@waybill/access';
import { CreatePurge, ListPurgedManifests, ListPurges, Purge, PurgedManifests, PurgeList } from '@waybill/contracts/http';
import { isDigest } from '@waybill/oci-model';
import { type ItemPage, type TrashItemRow, type TrashRequestRow, TrashRequests } from '@waybill/persistence';
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
import { RequestPurge } from './request-purge.js';
import { toPurge, toPurgedManifest } from './trash.mapper.js';

const PurgeId = z.guid();
const parameters = { id: 'id of the purge' };

@ApiTags('retention')
@ApiBearerAuth()
@Controller('api/v1/retention/purges')
export class PurgesController {
  readonly #requestPurge: RequestPurge;
  readonly #requests: TrashRequests;
  readonly #idempotent: IdempotentRequests;

  constructor(requestPurge: RequestPurge, requests: TrashRequests, idempotent: IdempotentRequests) {
    this.#requestPurge = requestPurge;
    this.#requests = requests;
    this.#idempotent = idempotent;
  }

  @Post()
  @HttpCode(202)
  @Requires('retention:purge')
  @Documented({
    summary: 'Delete something at once and for good, from the trash too: with what only it lists, and all that refers to it',
    audience: 'operators',
    status: 202,
    answer: Purge,
    body: true,
    idempotent: true,
    problems: ['no-topology', 'registry-unknown', 'nowhere-to-purge', 'needed-by-promotion', 'held'],
  })
  async create(
    @Body({ schema: CreatePurge }) body: CreatePurge,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    const { repository } = body;
    if (repository === undefined) authoriseEverywhere(actor, 'retention:purge');
    else authorise(actor, 'retention:purge', { repository });
    const route = 'POST /api/v1/retention/purges';
    const work = (claim: Parameters<RequestPurge['request']>[2]) => this.#requestPurge.request(actor, body, claim);
    return answerWith(response, await this.#idempotent.handle({ actor, route, key, body, work }));
  }

  @Get()
  @Requires('retention:read')
  @Documented({
    summary: 'Purges, newest first',
    audience: 'operators',
    status: 200,
    answer: PurgeList,
    problems: ['request-invalid'],
  })
  async list(@Query({ schema: ListPurges }) { limit, cursor }: ListPurges, @CurrentActor() actor: Actor): Promise<PurgeList> {
    const { rows, next } = await visiblePage<TrashRequestRow, string>({
      limit,
      after: cursor === undefined ? undefined : decodeCursor(cursor, 'uuid'),
      read: (before, count) => this.#requests.list('purge', { limit: count, ...(before === undefined ? {} : { before }) }),
      positionOf: ({ id }) => id,
      visible: (candidates) => candidates.filter((row) => mayRead(actor, row)),
    });
    return { purges: rows.map(toPurge), ...(next === undefined ? {} : { next: encodeCursor(next) }) };
  }

  @Get(':id')
  @Requires('retention:read')
  @Documented({
    summary: 'A purge, as far as it has come',
    parameters,
    audience: 'operators',
    status: 200,
    answer: Purge,
    problems: ['purge-unknown'],
  })
  async get(@Param('id') id: string, @CurrentActor() actor: Actor): Promise<Purge> {
    return toPurge(await this.#find(id, actor));
  }

  @Get(':id/manifests')
  @Requires('retention:read')
  @Documented({
    summary: 'What a purge deletes, and why something of it is not gone',
    parameters,
    audience: 'operators',
    status: 200,
    answer: PurgedManifests,
    problems: ['purge-unknown', 'request-invalid'],
  })
  async manifests(
    @Param('id') id: string,
    @Query({ schema: ListPurgedManifests }) { limit, cursor }: ListPurgedManifests,
    @CurrentActor() actor: Actor,
  ): Promise<PurgedManifests> {
    const purge = await this.#find(id, actor);
    const { rows, next } = await visiblePage<TrashItemRow, string>({
      limit,
      after: cursor === undefined ? undefined : decodeCursor(cursor, 'placed-digest'),
      read: (after, count) => this.#requests.items(purge.id, { limit: count, ...placeOf(after) }),
      positionOf: ({ repository, digest }) => `${repository} ${digest}`,
      visible: (candidates) => candidates.filter(({ repository }) => allows(actor.grants, 'retention:read', { repository })),
    });
    return { manifests: rows.map(toPurgedManifest), ...(next === undefined ? {} : { next: encodeCursor(next) }) };
  }

  async #find(id: string, actor: Actor): Promise<TrashRequestRow> {
    const row = PurgeId.safeParse(id).success ? await this.#requests.get('purge', id) : undefined;
    if (row !== undefined && mayRead(actor, row)) return row;
    throw new ApiError('there is no such purge', { code: 'purge-unknown' });
  }
}

/** One of all repositories says nothing of where anything is. */
function mayRead(actor: Actor, { asked: { repository } }: TrashRequestRow): boolean {
  return repository === undefined || allows(actor.grants, 'retention:read', { repository });
}

function placeOf(position: string | undefined): Pick<ItemPage, 'after'> {
  const [repository = '', digest = ''] = position?.split(' ') ?? [];
  return isDigest(digest) ? { after: { repository, digest } } : {};
}
