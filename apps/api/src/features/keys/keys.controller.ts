import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Actor } from '@waybill/access';
import { CreatedKey, CreateKey, KeyList } from '@waybill/contracts/http';
import { ApiKeys } from '@waybill/persistence';
import type { Response } from 'express';
import { z } from 'zod';
import { Requires } from '../../http/access-rule.js';
import { CurrentActor } from '../../http/actor.js';
import { ApiError } from '../../http/api-error.js';
import { Documented } from '../../http/api-documentation.js';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { CreateApiKey, toKeyView } from './create-api-key.js';

const KeyId = z.uuid();

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
  @Documented({ summary: 'Make an API key', status: 201, answer: CreatedKey, idempotent: true, problems: ['malformed-json'] })
  async create(
    @Body({ schema: CreateKey }) body: CreateKey,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<unknown> {
    let secret: string | undefined;
    const answer = await this.#idempotent.handle({
      actor,
      route: 'POST /api/v1/keys',
      key,
      body,
      work: async (claim) => {
        const created = await this.#createApiKey.create(body, claim);
        secret = created.secret;
        return created.answer;
      },
    });
    response.status(answer.status).set({ ...answer.headers, 'Cache-Control': 'no-store' });
    return secret === undefined ? answer.body : { key: secret, ...(answer.body as object) };
  }

  @Get()
  @Requires('keys:manage')
  @Documented({ summary: 'API keys without their secrets', status: 200, answer: KeyList })
  async list(): Promise<KeyList> {
    return { keys: (await this.#keys.list()).map(toKeyView) };
  }

  @Delete(':id')
  @HttpCode(204)
  @Requires('keys:manage')
  @Documented({ summary: 'Revoke an API key, at once', status: 204, problems: ['key-unknown'] })
  async revoke(@Param('id') id: string): Promise<void> {
    const revoked = KeyId.safeParse(id).success && (await this.#keys.revoke(id));
    if (!revoked) throw new ApiError('there is no such API key', { code: 'key-unknown' });
  }
}
