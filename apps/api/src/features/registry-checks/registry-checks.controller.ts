import { Body, Controller, Get, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Actor } from '@waybill/access';
import { AcceptedRegistryCheck, CreateRegistryCheck, RegistryCheck } from '@waybill/contracts/http';
import { RegistryChecks, TopologyRevisions } from '@waybill/persistence';
import type { Response } from 'express';
import { z } from 'zod';
import { Requires } from '../../http/access-rule.js';
import { CurrentActor } from '../../http/actor.js';
import { Documented } from '../../http/api-documentation.js';
import { ApiError } from '../../http/api-error.js';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { answerWith } from '../../http/json-answer.js';
import { toRegistryCheck } from './registry-check.mapper.js';
import { RequestRegistryCheck } from './request-registry-check.js';

const CheckId = z.guid();

@ApiTags('registries')
@ApiBearerAuth()
@Controller('api/v1/registry-checks')
export class RegistryChecksController {
  readonly #requestRegistryCheck: RequestRegistryCheck;
  readonly #checks: RegistryChecks;
  readonly #revisions: TopologyRevisions;
  readonly #idempotent: IdempotentRequests;

  constructor(
    requestRegistryCheck: RequestRegistryCheck,
    checks: RegistryChecks,
    revisions: TopologyRevisions,
    idempotent: IdempotentRequests,
  ) {
    this.#requestRegistryCheck = requestRegistryCheck;
    this.#checks = checks;
    this.#revisions = revisions;
    this.#idempotent = idempotent;
  }

  @Post()
  @HttpCode(202)
  @Requires('registries:check')
  @Documented({
    summary: 'Ask that registries are probed live; workers write to waybill-check/… beneath their prefixes and remove it again',
    audience: 'operators',
    status: 202,
    answer: AcceptedRegistryCheck,
    body: true,
    idempotent: true,
    problems: ['no-topology', 'topology-changed', 'registry-unknown', 'no-location'],
  })
  async create(
    @Body({ schema: CreateRegistryCheck }) body: CreateRegistryCheck,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    const answer = await this.#idempotent.handle({
      actor,
      route: 'POST /api/v1/registry-checks',
      key,
      body,
      work: (claim) => this.#requestRegistryCheck.request(actor, body, claim),
    });
    return answerWith(response, answer);
  }

  @Get(':id')
  @Requires('registries:check')
  @Documented({
    summary: 'A check of registries, and what it found so far',
    parameters: { id: 'id of the check' },
    audience: 'operators',
    status: 200,
    answer: RegistryCheck,
    problems: ['check-unknown'],
  })
  async get(@Param('id') id: string): Promise<RegistryCheck> {
    const row = CheckId.safeParse(id).success ? await this.#checks.get(id) : undefined;
    const revision = row === undefined ? undefined : await this.#revisions.byNumber(row.revision);
    if (row !== undefined && revision !== undefined) return toRegistryCheck(row, revision.topology);
    throw new ApiError('there is no such check of registries', { code: 'check-unknown' });
  }
}
