import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Actor, allows } from '@waybill/access';
import { CreateRestore, ListRestoredManifests, ListRestores, Restore, RestoredManifests, RestoreList } from '@waybill/contracts/http';
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
import { RequestRestore } from './request-restore.js';
import { toRestore, toRestoredManifest } from './trash.mapper.js';

const RestoreId = z.guid();
const parameters = { id: 'id of the restore' };

@ApiTags('retention')
@ApiBearerAuth()
@Controller('api/v1/retention/restores')
export class RestoresController {
  readonly #requestRestore: RequestRestore;
  readonly #requests: TrashRequests;
  readonly #idempotent: IdempotentRequests;

  constructor(requestRestore: RequestRestore, requests: TrashRequests, idempotent: IdempotentRequests) {
    this.#requestRestore = requestRestore;
    this.#requests = requests;
    this.#idempotent = idempotent;
  }

  /** Said of what is back already it does nothing. */
  @Post()
  @HttpCode(202)
  @Requires('retention:restore')
  @Documented({
    summary: 'Bring something deleted back: with all beneath it, all that referred to it, and the tags that name nothing since',
    audience: 'clients',
    status: 202,
    answer: Restore,
    body: true,
    idempotent: true,
    problems: ['no-topology', 'registry-unknown', 'run-unknown', 'not-in-trash', 'restore-unfinished', 'tag-in-promotion', 'being-deleted'],
  })
  async create(
    @Body({ schema: CreateRestore }) body: CreateRestore,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    const { repository } = body;
    if (repository === undefined) authoriseEverywhere(actor, 'retention:restore');
    else authorise(actor, 'retention:restore', { repository });
    const route = 'POST /api/v1/retention/restores';
    const work = (claim: Parameters<RequestRestore['request']>[2]) => this.#requestRestore.request(actor, body, claim);
    return answerWith(response, await this.#idempotent.handle({ actor, route, key, body, work }));
  }

  @Get()
  @Requires('retention:read')
  @Documented({
    summary: 'Restores, newest first',
    audience: 'clients',
    status: 200,
    answer: RestoreList,
    problems: ['request-invalid'],
  })
  async list(@Query({ schema: ListRestores }) { limit, cursor }: ListRestores, @CurrentActor() actor: Actor): Promise<RestoreList> {
    const { rows, next } = await visiblePage<TrashRequestRow, string>({
      limit,
      after: cursor === undefined ? undefined : decodeCursor(cursor, 'uuid'),
      read: (before, count) => this.#requests.list('restore', { limit: count, ...(before === undefined ? {} : { before }) }),
      positionOf: ({ id }) => id,
      visible: (candidates) => candidates.filter((row) => mayRead(actor, row)),
    });
    return { restores: rows.map(toRestore), ...(next === undefined ? {} : { next: encodeCursor(next) }) };
  }

  @Get(':id')
  @Requires('retention:read')
  @Documented({
    summary: 'A restore, as far as it has come',
    parameters,
    audience: 'clients',
    status: 200,
    answer: Restore,
    problems: ['restore-unknown'],
  })
  async get(@Param('id') id: string, @CurrentActor() actor: Actor): Promise<Restore> {
    return toRestore(await this.#find(id, actor));
  }

  @Get(':id/manifests')
  @Requires('retention:read')
  @Documented({
    summary: 'What a restore brings back, and which tags it left because they name something else by now',
    parameters,
    audience: 'clients',
    status: 200,
    answer: RestoredManifests,
    problems: ['restore-unknown', 'request-invalid'],
  })
  async manifests(
    @Param('id') id: string,
    @Query({ schema: ListRestoredManifests }) { limit, cursor }: ListRestoredManifests,
    @CurrentActor() actor: Actor,
  ): Promise<RestoredManifests> {
    const restore = await this.#find(id, actor);
    const { rows, next } = await visiblePage<TrashItemRow, string>({
      limit,
      after: cursor === undefined ? undefined : decodeCursor(cursor, 'placed-digest'),
      read: (after, count) => this.#requests.items(restore.id, { limit: count, ...placeOf(after) }),
      positionOf: ({ repository, digest }) => `${repository} ${digest}`,
      visible: (candidates) => candidates.filter(({ repository }) => allows(actor.grants, 'retention:read', { repository })),
    });
    return { manifests: rows.map(toRestoredManifest), ...(next === undefined ? {} : { next: encodeCursor(next) }) };
  }

  async #find(id: string, actor: Actor): Promise<TrashRequestRow> {
    const row = RestoreId.safeParse(id).success ? await this.#requests.get('restore', id) : undefined;
    if (row !== undefined && mayRead(actor, row)) return row;
    throw new ApiError('there is no such restore', { code: 'restore-unknown' });
  }
}

/** One of a run says nothing of where anything is. */
function mayRead(actor: Actor, { asked: { repository } }: TrashRequestRow): boolean {
  return repository === undefined || allows(actor.grants, 'retention:read', { repository });
}

function placeOf(position: string | undefined): Pick<ItemPage, 'after'> {
  const [repository = '', digest = ''] = position?.split(' ') ?? [];
  return isDigest(digest) ? { after: { repository, digest } } : {};
}
