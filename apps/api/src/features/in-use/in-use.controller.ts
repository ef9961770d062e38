import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Actor } from '@waybill/access';
import { InUseReporter, InUseReporterList, ListInUseReporters, ReportInUse, RetireReporter } from '@waybill/contracts/http';
import { InUse, type InUseReporterRow } from '@waybill/persistence';
import type { Response } from 'express';
import { Requires } from '../../http/access-rule.js';
import { CurrentActor } from '../../http/actor.js';
import { Documented } from '../../http/api-documentation.js';
import { authoriseEverywhere } from '../../http/authorise-everywhere.js';
import { decodeCursor, encodeCursor } from '../../http/cursor.js';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { answerWith, jsonAnswer } from '../../http/json-answer.js';
import { takenOver } from '../../http/taken-over.js';
import { toInUseReporter, toReport } from './in-use.mapper.js';

@ApiTags('in-use')
@ApiBearerAuth()
@Controller('api/v1/in-use')
export class InUseController {
  readonly #inUse: InUse;
  readonly #idempotent: IdempotentRequests;

  constructor(inUse: InUse, idempotent: IdempotentRequests) {
    this.#inUse = inUse;
    this.#idempotent = idempotent;
  }

  @Post()
  @HttpCode(200)
  @Requires('in-use:report')
  @Documented({
    summary: 'Report all digests that run somewhere: retention never removes them; what a reporter no longer names is no longer in use',
    audience: 'clients',
    status: 200,
    answer: InUseReporter,
    body: true,
    idempotent: true,
    problems: ['reporter-taken'],
  })
  async report(
    @Body({ schema: ReportInUse }) body: ReportInUse,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    const report = toReport(body, actor.principal.id);
    const answerOf = (row: InUseReporterRow) => jsonAnswer(200, {}, toInUseReporter(row));
    const answer = await this.#idempotent.handle({
      ...{ actor, route: 'POST /api/v1/in-use', key, body },
      work: async (claim) => takenOver(await this.#inUse.report(report, { ...claim, answerOf })),
    });
    return answerWith(response, answer);
  }

  @Get('reporters')
  @Requires('retention:read')
  @Documented({
    summary: 'Who reports what runs, by name, and who is silent',
    audience: 'clients',
    status: 200,
    answer: InUseReporterList,
    problems: ['request-invalid'],
  })
  async list(@Query({ schema: ListInUseReporters }) { limit, cursor }: ListInUseReporters): Promise<InUseReporterList> {
    const after = cursor === undefined ? {} : { after: decodeCursor(cursor, 'name') };
    const rows = await this.#inUse.list({ ...after, limit: limit + 1 });
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return { reporters: rows.slice(0, limit).map(toInUseReporter), ...(last === undefined ? {} : { next: encodeCursor(last.name) }) };
  }

  /** Said twice it is the same. Whoever may let policies act may also say that nobody misses a reporter. */
  @Post('reporters/:name/retire')
  @HttpCode(200)
  @Requires('retention:approve')
  @Documented({
    summary: 'Retire a reporter that is gone for good: what it covers is no longer unknown, and what it said no longer counts',
    parameters: { name: 'name of the reporter' },
    audience: 'operators',
    status: 200,
    answer: InUseReporter,
    body: true,
    problems: ['reporter-unknown'],
  })
  async retire(
    @Param('name') name: string,
    @Body({ schema: RetireReporter }) { reason }: RetireReporter,
    @CurrentActor() actor: Actor,
  ): Promise<InUseReporter> {
    authoriseEverywhere(actor, 'retention:approve');
    return toInUseReporter(await this.#inUse.retire(name, { by: actor.principal.id, reason }));
  }
}
