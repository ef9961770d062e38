import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Actor } from '@waybill/access';
import {
  ListRetentionPolicies,
  PauseRetentionPolicy,
  ResumeRetentionPolicy,
  RetentionPolicy,
  RetentionPolicyList,
} from '@waybill/contracts/http';
import { RetentionPolicies } from '@waybill/persistence';
import { Requires } from '../../http/access-rule.js';
import { CurrentActor } from '../../http/actor.js';
import { Documented } from '../../http/api-documentation.js';
import { ApiError } from '../../http/api-error.js';
import { authoriseEverywhere } from '../../http/authorise-everywhere.js';
import { decodeCursor, encodeCursor } from '../../http/cursor.js';
import { toRetentionPolicy } from './retention.mapper.js';

const parameters = { name: 'name of the policy' };

@ApiTags('retention')
@ApiBearerAuth()
@Controller('api/v1/retention/policies')
export class RetentionPoliciesController {
  readonly #policies: RetentionPolicies;

  constructor(policies: RetentionPolicies) {
    this.#policies = policies;
  }

  @Get()
  @Requires('retention:read')
  @Documented({
    summary: 'Policies of retention, by name: what they keep, when they run, who approved them',
    audience: 'clients',
    status: 200,
    answer: RetentionPolicyList,
    problems: ['request-invalid'],
  })
  async list(@Query({ schema: ListRetentionPolicies }) { limit, cursor, state }: ListRetentionPolicies): Promise<RetentionPolicyList> {
    const after = cursor === undefined ? {} : { after: decodeCursor(cursor, 'name') };
    const rows = await this.#policies.list({ ...after, limit: limit + 1, isHistory: state === 'all' });
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return {
      policies: rows.slice(0, limit).map(toRetentionPolicy),
      ...(last === undefined ? {} : { next: encodeCursor(last.name) }),
    };
  }

  @Get(':name')
  @Requires('retention:read')
  @Documented({
    summary: 'A policy of retention',
    parameters,
    audience: 'clients',
    status: 200,
    answer: RetentionPolicy,
    problems: ['policy-unknown'],
  })
  async get(@Param('name') name: string): Promise<RetentionPolicy> {
    const row = await this.#policies.get(name);
    if (row !== undefined) return toRetentionPolicy(row);
    throw new ApiError('there is no such policy of retention', { code: 'policy-unknown' });
  }

  @Post(':name/pause')
  @HttpCode(200)
  @Requires('retention:run')
  @Documented({
    summary: 'Pause a policy: it does not run by itself, and what somebody runs only plans',
    parameters,
    audience: 'operators',
    status: 200,
    answer: RetentionPolicy,
    body: true,
    problems: ['policy-unknown', 'policy-retired', 'policy-paused'],
  })
  async pause(
    @Param('name') name: string,
    @Body({ schema: PauseRetentionPolicy }) { reason }: PauseRetentionPolicy,
    @CurrentActor() actor: Actor,
  ): Promise<RetentionPolicy> {
    authoriseEverywhere(actor, 'retention:run');
    return toRetentionPolicy(await this.#policies.pause(name, { by: actor.principal.id, reason }));
  }

  /** Said twice it is the same. */
  @Post(':name/resume')
  @HttpCode(200)
  @Requires('retention:run')
  @Documented({
    summary: 'End the pause of a policy: a time that was missed meanwhile is caught up once',
    parameters,
    audience: 'operators',
    status: 200,
    answer: RetentionPolicy,
    body: true,
    problems: ['policy-unknown'],
  })
  async resume(
    @Param('name') name: string,
    @Body({ schema: ResumeRetentionPolicy }) { reason }: ResumeRetentionPolicy,
    @CurrentActor() actor: Actor,
  ): Promise<RetentionPolicy> {
    authoriseEverywhere(actor, 'retention:run');
    const decision = { by: actor.principal.id, ...(reason === undefined ? {} : { reason }) };
    return toRetentionPolicy(await this.#policies.resume(name, decision));
  }
}
