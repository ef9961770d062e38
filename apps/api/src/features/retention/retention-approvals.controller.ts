import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Actor } from '@waybill/access';
import {
  CreateRetentionApproval,
  ListRetentionApprovals,
  RetentionApproval,
  RetentionApprovalList,
  RevokeRetentionApproval,
} from '@waybill/contracts/http';
import { uuidV7 } from '@waybill/kernel';
import { type ApprovalRow, RetentionApprovals } from '@waybill/persistence';
import type { Response } from 'express';
import { z } from 'zod';
import { Requires } from '../../http/access-rule.js';
import { CurrentActor } from '../../http/actor.js';
import { Documented } from '../../http/api-documentation.js';
import { ApiError } from '../../http/api-error.js';
import { authoriseEverywhere } from '../../http/authorise-everywhere.js';
import { decodeCursor, encodeCursor } from '../../http/cursor.js';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { answerWith, jsonAnswer } from '../../http/json-answer.js';
import { takenOver } from '../../http/taken-over.js';
import { toRetentionApproval } from './retention.mapper.js';

const ApprovalId = z.guid();

@ApiTags('retention')
@ApiBearerAuth()
@Controller('api/v1/retention/approvals')
export class RetentionApprovalsController {
  readonly #approvals: RetentionApprovals;
  readonly #idempotent: IdempotentRequests;

  constructor(approvals: RetentionApprovals, idempotent: IdempotentRequests) {
    this.#approvals = approvals;
    this.#idempotent = idempotent;
  }

  @Post()
  @HttpCode(201)
  @Requires('retention:approve')
  @Documented({
    summary: 'Approve a policy in the very words it has now, on the strength of a plan; other words are a dry run again',
    audience: 'operators',
    status: 201,
    answer: RetentionApproval,
    body: true,
    idempotent: true,
    problems: ['policy-unknown', 'policy-retired', 'run-unknown', 'plan-missing', 'plan-outdated', 'already-approved'],
  })
  async create(
    @Body({ schema: CreateRetentionApproval }) body: CreateRetentionApproval,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    authoriseEverywhere(actor, 'retention:approve');
    const approval = { id: uuidV7.next(), policy: body.policy, runId: body.run, reason: body.reason, by: actor.principal.id };
    const answerOf = (row: ApprovalRow) => jsonAnswer(201, { Location: `/api/v1/retention/approvals/${row.id}` }, toRetentionApproval(row));
    const answer = await this.#idempotent.handle({
      ...{ actor, route: 'POST /api/v1/retention/approvals', key, body },
      work: async (claim) => takenOver(await this.#approvals.approve(approval, { ...claim, answerOf })),
    });
    return answerWith(response, answer);
  }

  @Get()
  @Requires('retention:read')
  @Documented({
    summary: 'Approvals of policies, newest first, those too that were revoked',
    audience: 'clients',
    status: 200,
    answer: RetentionApprovalList,
    problems: ['request-invalid'],
  })
  async list(@Query({ schema: ListRetentionApprovals }) { limit, cursor, policy }: ListRetentionApprovals): Promise<RetentionApprovalList> {
    const rows = await this.#approvals.list({
      limit: limit + 1,
      ...(policy === undefined ? {} : { policy }),
      ...(cursor === undefined ? {} : { before: decodeCursor(cursor, 'uuid') }),
    });
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return { approvals: rows.slice(0, limit).map(toRetentionApproval), ...(last === undefined ? {} : { next: encodeCursor(last.id) }) };
  }

  @Get(':id')
  @Requires('retention:read')
  @Documented({
    summary: 'An approval of a policy',
    parameters: { id: 'id of the approval' },
    audience: 'clients',
    status: 200,
    answer: RetentionApproval,
    problems: ['approval-unknown'],
  })
  async get(@Param('id') id: string): Promise<RetentionApproval> {
    return toRetentionApproval(await this.#find(id));
  }

  /** Said twice it is the same. */
  @Post(':id/revoke')
  @HttpCode(200)
  @Requires('retention:approve')
  @Documented({
    summary: 'Take an approval back: the policy only plans from its next run on',
    parameters: { id: 'id of the approval' },
    audience: 'operators',
    status: 200,
    answer: RetentionApproval,
    body: true,
    problems: ['approval-unknown'],
  })
  async revoke(
    @Param('id') id: string,
    @Body({ schema: RevokeRetentionApproval }) { reason }: RevokeRetentionApproval,
    @CurrentActor() actor: Actor,
  ): Promise<RetentionApproval> {
    authoriseEverywhere(actor, 'retention:approve');
    const row = await this.#find(id);
    const decision = { by: actor.principal.id, ...(reason === undefined ? {} : { reason }) };
    return toRetentionApproval(await this.#approvals.revoke(row.id, decision));
  }

  async #find(id: string): Promise<ApprovalRow> {
    const row = ApprovalId.safeParse(id).success ? await this.#approvals.get(id) : undefined;
    if (row !== undefined) return row;
    throw new ApiError('there is no such approval', { code: 'approval-unknown' });
  }
}
