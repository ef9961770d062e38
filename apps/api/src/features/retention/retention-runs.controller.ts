import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Actor, allows } from '@waybill/access';
import {
  ApproveRetentionPlan,
  CancelRetentionRun,
  ListRetentionDecisions,
  ListRetentionMarks,
  ListRetentionRunRepositories,
  ListRetentionRuns,
  RequestRetentionRun,
  RetentionDecisions,
  RetentionMarks,
  RetentionRun,
  RetentionRunList,
  RetentionRunRepositories,
} from '@waybill/contracts/http';
import { uuidV7 } from '@waybill/kernel';
import { type DecisionRow, type MarkRow, RetentionRuns, type RetentionRunRow, type RunRepositoryRow } from '@waybill/persistence';
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
import { visiblePage } from '../../http/visible-page.js';
import { toDecision, toMark, toRetentionRun, toRunRepository } from './retention.mapper.js';

const RunId = z.guid();
const parameters = { id: 'id of the run' };

@ApiTags('retention')
@ApiBearerAuth()
@Controller('api/v1/retention/runs')
export class RetentionRunsController {
  readonly #runs: RetentionRuns;
  readonly #idempotent: IdempotentRequests;

  constructor(runs: RetentionRuns, idempotent: IdempotentRequests) {
    this.#runs = runs;
    this.#idempotent = idempotent;
  }

  @Post()
  @HttpCode(202)
  @Requires('retention:run')
  @Documented({
    summary: 'Have a policy run now; a worker plans it',
    audience: 'operators',
    status: 202,
    answer: RetentionRun,
    body: true,
    idempotent: true,
    problems: ['policy-unknown', 'policy-retired', 'run-unfinished'],
  })
  async create(
    @Body({ schema: RequestRetentionRun }) body: RequestRetentionRun,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    authoriseEverywhere(actor, 'retention:run');
    const { policy, dryRun: isDryRun, detail, reason } = body;
    const run = { id: uuidV7.next(), policy, isDryRun, detail, by: actor.principal.id, ...(reason === undefined ? {} : { reason }) };
    const answerOf = (row: RetentionRunRow) => jsonAnswer(202, { Location: `/api/v1/retention/runs/${row.id}` }, toRetentionRun(row));
    const answer = await this.#idempotent.handle({
      ...{ actor, route: 'POST /api/v1/retention/runs', key, body },
      work: async (claim) => takenOver(await this.#runs.request(run, { ...claim, answerOf })),
    });
    return answerWith(response, answer);
  }

  @Get()
  @Requires('retention:read')
  @Documented({
    summary: 'Runs of retention, newest first',
    audience: 'clients',
    status: 200,
    answer: RetentionRunList,
    problems: ['request-invalid'],
  })
  async list(@Query({ schema: ListRetentionRuns }) { limit, cursor, policy }: ListRetentionRuns): Promise<RetentionRunList> {
    const rows = await this.#runs.list({
      limit: limit + 1,
      ...(policy === undefined ? {} : { policy }),
      ...(cursor === undefined ? {} : { before: decodeCursor(cursor, 'uuid') }),
    });
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return { runs: rows.slice(0, limit).map(toRetentionRun), ...(last === undefined ? {} : { next: encodeCursor(last.id) }) };
  }

  @Get(':id')
  @Requires('retention:read')
  @Documented({
    summary: 'A run of retention',
    parameters,
    audience: 'clients',
    status: 200,
    answer: RetentionRun,
    problems: ['run-unknown'],
  })
  async get(@Param('id') id: string): Promise<RetentionRun> {
    return toRetentionRun(await this.#find(id));
  }

  @Get(':id/repositories')
  @Requires('retention:read')
  @Documented({
    summary: 'What a run decided, repository by repository: what goes, what is kept for which reason',
    parameters,
    audience: 'clients',
    status: 200,
    answer: RetentionRunRepositories,
    problems: ['run-unknown', 'request-invalid'],
  })
  async repositories(
    @Param('id') id: string,
    @Query({ schema: ListRetentionRunRepositories }) { limit, cursor }: ListRetentionRunRepositories,
    @CurrentActor() actor: Actor,
  ): Promise<RetentionRunRepositories> {
    const run = await this.#find(id);
    const { rows, next } = await visiblePage<RunRepositoryRow, string>({
      limit,
      after: cursor === undefined ? undefined : decodeCursor(cursor, 'name'),
      read: (after, count) => this.#runs.repositories(run.id, { limit: count, ...(after === undefined ? {} : { after }) }),
      positionOf: ({ repository }) => repository,
      visible: (candidates) => candidates.filter(({ repository }) => allows(actor.grants, 'retention:read', { repository })),
    });
    return { repositories: rows.map(toRunRepository), ...(next === undefined ? {} : { next: encodeCursor(next) }) };
  }

  @Get(':id/decisions')
  @Requires('retention:read')
  @Documented({
    summary: 'What is to become of what, and why: every removal, and what is kept where the run was asked for it',
    parameters,
    audience: 'clients',
    status: 200,
    answer: RetentionDecisions,
    problems: ['run-unknown', 'request-invalid'],
  })
  async decisions(
    @Param('id') id: string,
    @Query({ schema: ListRetentionDecisions }) { limit, cursor, repository }: ListRetentionDecisions,
    @CurrentActor() actor: Actor,
  ): Promise<RetentionDecisions> {
    const run = await this.#find(id);
    const { rows, next } = await visiblePage<DecisionRow, string>({
      limit,
      after: cursor === undefined ? undefined : decodeCursor(cursor, 'decision'),
      read: (after, count) =>
        this.#runs.decisions(run.id, { limit: count, ...(repository === undefined ? {} : { repository }), ...placeOf(after) }),
      positionOf: (row) => `${row.repository} ${row.position}`,
      visible: (candidates) => candidates.filter((row) => allows(actor.grants, 'retention:read', { repository: row.repository })),
    });
    return { decisions: rows.map(toDecision), ...(next === undefined ? {} : { next: encodeCursor(next) }) };
  }

  @Get(':id/marks')
  @Requires('retention:read')
  @Documented({
    summary: 'What a run marked, and what became of each: deleted, or spared and why',
    parameters,
    audience: 'clients',
    status: 200,
    answer: RetentionMarks,
    problems: ['run-unknown', 'request-invalid'],
  })
  async marks(
    @Param('id') id: string,
    @Query({ schema: ListRetentionMarks }) { limit, cursor, repository }: ListRetentionMarks,
    @CurrentActor() actor: Actor,
  ): Promise<RetentionMarks> {
    const run = await this.#find(id);
    const { rows, next } = await visiblePage<MarkRow, string>({
      limit,
      after: cursor === undefined ? undefined : decodeCursor(cursor, 'decision'),
      read: (after, count) =>
        this.#runs.marks(run.id, { limit: count, ...(repository === undefined ? {} : { repository }), ...placeOf(after) }),
      positionOf: (row) => `${row.repository} ${row.position}`,
      visible: (candidates) => candidates.filter((row) => allows(actor.grants, 'retention:read', { repository: row.repository })),
    });
    return { marks: rows.map(toMark), ...(next === undefined ? {} : { next: encodeCursor(next) }) };
  }

  /** Said twice it is the same. */
  @Post(':id/approve')
  @HttpCode(200)
  @Requires('retention:approve')
  @Documented({
    summary: 'Let this very plan go beyond the limits of its policy',
    parameters,
    audience: 'operators',
    status: 200,
    answer: RetentionRun,
    body: true,
    problems: ['run-unknown', 'plan-not-waiting'],
  })
  async approve(
    @Param('id') id: string,
    @Body({ schema: ApproveRetentionPlan }) { reason }: ApproveRetentionPlan,
    @CurrentActor() actor: Actor,
  ): Promise<RetentionRun> {
    authoriseEverywhere(actor, 'retention:approve');
    const run = await this.#find(id);
    return toRetentionRun(await this.#runs.approvePlan(run.id, { by: actor.principal.id, reason }));
  }

  /** Said twice it is the same. */
  @Post(':id/cancel')
  @HttpCode(200)
  @Requires('retention:run')
  @Documented({
    summary: 'End a run: what it has not deleted yet stays',
    parameters,
    audience: 'operators',
    status: 200,
    answer: RetentionRun,
    body: true,
    problems: ['run-unknown'],
  })
  async cancel(
    @Param('id') id: string,
    @Body({ schema: CancelRetentionRun }) { reason }: CancelRetentionRun,
    @CurrentActor() actor: Actor,
  ): Promise<RetentionRun> {
    authoriseEverywhere(actor, 'retention:run');
    const run = await this.#find(id);
    return toRetentionRun(await this.#runs.cancel(run.id, { by: actor.principal.id, ...(reason === undefined ? {} : { reason }) }));
  }

  async #find(id: string): Promise<RetentionRunRow> {
    const row = RunId.safeParse(id).success ? await this.#runs.get(id) : undefined;
    if (row !== undefined) return row;
    throw new ApiError('there is no such run of retention', { code: 'run-unknown' });
  }
}

function placeOf(position: string | undefined): { readonly after?: { readonly repository: string; readonly position: number } } {
  if (position === undefined) return {};
  const [repository = '', place = ''] = position.split(' ');
  return { after: { repository, position: Number(place) } };
}
