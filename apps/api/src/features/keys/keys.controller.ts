import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Actor, holdsAll } from '@waybill/access';
import { CreatedKey, CreateKey, KeyList, ListKeys } from '@waybill/contracts/http';
import { type ApiKeyRecord, ApiKeys } from '@waybill/persistence';
import type { Response } from 'express';
import { z } from 'zod';
import { Requires } from '../../http/access-rule.js';
import { CurrentActor } from '../../http/actor.js';
import { ApiError } from '../../http/api-error.js';
import { Documented } from '../../http/api-documentation.js';
import { decodeCursor, encodeCursor } from '../../http/cursor.js';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { answerWith } from '../../http/json-answer.js';
import { visiblePage } from '../../http/visible-page.js';
import { CreateApiKey, refuseWiderGrants } from './create-api-key.js';
import { toKeyView } from './key.mapper.js';

/** Any UUID: that of the administrator's key comes from the environment. */
const KeyId = z.guid();

@ApiTags('keys')
@ApiBearerAuth()
@Controller('api/v1/keys')
export class KeysController {
  readonly #createApiKey: CreateApiKey;
  readonly #keys: ApiKeys;
  readonly #idempotent: IdempotentRequests;

  constructor(createApiKey: CreateApiKey, keys: ApiKeys, idempotent: IdempotentRequests) {
    this.#createApiKey = createApiKey;
    this.#keys = keys;
    this.#idempotent = idempotent;
  }

  @Post()
  @HttpCode(201)
  @Requires('keys:manage')
  @Documented({ summary: 'Make an API key', audience: 'operators', status: 201, answer: CreatedKey, body: true, idempotent: true })
  async create(
    @Body({ schema: CreateKey }) body: CreateKey,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    refuseWiderGrants(actor, body);
    let first: Awaited<ReturnType<CreateApiKey['create']>>['first'] | undefined;
    const kept = await this.#idempotent.handle({
      actor,
      route: 'POST /api/v1/keys',
      key,
      body,
      work: async (claim) => {
        const created = await this.#createApiKey.create(actor, body, claim);
        first = created.first;
        return created.kept;
      },
    });
    response.set('Cache-Control', 'no-store');
    return answerWith(response, first ?? kept);
  }

  @Get()
  @Requires('keys:manage')
  @Documented({
    summary: 'API keys that may do no more than the caller’s, without their secrets, oldest first',
    audience: 'operators',
    status: 200,
    answer: KeyList,
    problems: ['request-invalid'],
  })
  async list(@Query({ schema: ListKeys }) { limit, cursor }: ListKeys, @CurrentActor() actor: Actor): Promise<KeyList> {
    const { rows, next } = await visiblePage<ApiKeyRecord, string>({
      limit,
      after: cursor === undefined ? undefined : decodeCursor(cursor, 'uuid'),
      read: (after, count) => this.#keys.list({ limit: count, ...(after === undefined ? {} : { after }) }),
      positionOf: ({ id }) => id,
      visible: (records) => records.filter((record) => mayManage(actor, record)),
    });
    return { keys: rows.map(toKeyView), ...(next === undefined ? {} : { next: encodeCursor(next) }) };
  }

  @Delete(':id')
  @HttpCode(204)
  @Requires('keys:manage')
  @Documented({
    summary: 'Revoke an API key that may do no more than the caller’s, at once',
    parameters: { id: 'id of the key' },
    audience: 'operators',
    status: 204,
    problems: ['key-unknown'],
  })
  async revoke(@Param('id') id: string, @CurrentActor() actor: Actor): Promise<void> {
    const record = KeyId.safeParse(id).success ? await this.#keys.get(id) : undefined;
    // What one may not manage is as unknown as what is not there: the answer tells nobody which it is.
    if (record !== undefined && mayManage(actor, record) && (await this.#keys.revoke(id))) return;
    throw new ApiError('there is no such API key', { code: 'key-unknown' });
  }
}

/** Only keys that may do no more than one's own. */
function mayManage(actor: Actor, { grants }: ApiKeyRecord): boolean {
  return holdsAll(actor.grants, grants);
}
