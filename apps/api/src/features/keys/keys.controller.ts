import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Actor } from '@waybill/access';
import { CreatedKey, CreateKey, KeyList, ListKeys } from '@waybill/contracts/http';
import { ApiKeys } from '@waybill/persistence';
import type { Response } from 'express';
import { z } from 'zod';
import { Requires } from '../../http/access-rule.js';
import { CurrentActor } from '../../http/actor.js';
import { ApiError } from '../../http/api-error.js';
import { Documented } from '../../http/api-documentation.js';
import { decodeCursor, encodeCursor } from '../../http/cursor.js';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { answerWith } from '../../http/json-answer.js';
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
        const created = await this.#createApiKey.create(body, claim);
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
    summary: 'API keys without their secrets, oldest first',
    audience: 'operators',
    status: 200,
    answer: KeyList,
    problems: ['request-invalid'],
  })
  async list(@Query({ schema: ListKeys }) { limit, cursor }: ListKeys): Promise<KeyList> {
    const records = await this.#keys.list({ limit, ...(cursor === undefined ? {} : { after: decodeCursor(cursor, 'uuid') }) });
    const last = records.at(-1);
    return {
      keys: records.map(toKeyView),
      ...(last === undefined || records.length < limit ? {} : { next: encodeCursor(last.id) }),
    };
  }

  @Delete(':id')
  @HttpCode(204)
  @Requires('keys:manage')
  @Documented({
    summary: 'Revoke an API key, at once',
    parameters: { id: 'id of the key' },
    audience: 'operators',
    status: 204,
    problems: ['key-unknown'],
  })
  async revoke(@Param('id') id: string): Promise<void> {
    const revoked = KeyId.safeParse(id).success && (await this.#keys.revoke(id));
    if (!revoked) throw new ApiError('there is no such API key', { code: 'key-unknown' });
  }
}
