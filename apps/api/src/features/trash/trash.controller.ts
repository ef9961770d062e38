import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Actor, allows } from '@waybill/access';
import { ListTrash, TrashList } from '@waybill/contracts/http';
import { type TrashFilter, type TrashRow, TrashRows } from '@waybill/persistence';
import { Requires } from '../../http/access-rule.js';
import { CurrentActor } from '../../http/actor.js';
import { Documented } from '../../http/api-documentation.js';
import { decodeCursor, encodeCursor } from '../../http/cursor.js';
import { visiblePage } from '../../http/visible-page.js';
import { toTrashEntry } from './trash.mapper.js';

@ApiTags('retention')
@ApiBearerAuth()
@Controller('api/v1/retention/trash')
export class TrashController {
  readonly #rows: TrashRows;

  constructor(rows: TrashRows) {
    this.#rows = rows;
  }

  @Get()
  @Requires('retention:read')
  @Documented({
    summary: 'What retention deleted and can be brought back, newest first; or also what was, and what was emptied out',
    audience: 'clients',
    status: 200,
    answer: TrashList,
    problems: ['request-invalid'],
  })
  async list(@Query({ schema: ListTrash }) query: ListTrash, @CurrentActor() actor: Actor): Promise<TrashList> {
    const { limit, cursor, state } = query;
    const { rows, next } = await visiblePage<TrashRow, string>({
      limit,
      after: cursor === undefined ? undefined : decodeCursor(cursor, 'uuid'),
      read: (before, count) =>
        this.#rows.list({ ...filterOf(query), limit: count, isHistory: state === 'all', ...(before === undefined ? {} : { before }) }),
      positionOf: ({ id }) => id,
      visible: (candidates) => candidates.filter(({ repository }) => allows(actor.grants, 'retention:read', { repository })),
    });
    return { entries: rows.map(toTrashEntry), ...(next === undefined ? {} : { next: encodeCursor(next) }) };
  }
}

function filterOf({ registry, repository, digest, tag, run }: ListTrash): TrashFilter {
  return {
    ...(registry === undefined ? {} : { registry }),
    ...(repository === undefined ? {} : { repository }),
    ...(digest === undefined ? {} : { digest }),
    ...(tag === undefined ? {} : { tag }),
    ...(run === undefined ? {} : { run }),
  };
}
