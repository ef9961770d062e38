import { Controller, Get, HttpStatus, Inject, Res } from '@nestjs/common';
import type { Health } from '@waybill/contracts/http';
import { Database } from '@waybill/persistence';
import type { JobQueue } from '@waybill/queue';
import { JOB_QUEUE } from '../../infrastructure/tokens.js';

interface Answer {
  status(code: number): unknown;
}

/** The worker's only routes. */
@Controller('health')
export class HealthController {
  readonly #database: Database;
  readonly #queue: JobQueue;

  constructor(database: Database, @Inject(JOB_QUEUE) queue: JobQueue) {
    this.#database = database;
    this.#queue = queue;
  }

  /** The process answers. */
  @Get('live')
  live(): Health {
    return { status: 'ok', parts: {} };
  }

  /** The process can do its work; otherwise which part keeps it from that. */
  @Get('ready')
  async ready(@Res({ passthrough: true }) answer: Answer): Promise<Health> {
    const [database, queue] = await Promise.all([
      this.#database.ping().then(
        () => ({ status: 'ok' }) as const,
        () => ({ status: 'failing', problem: 'the database does not answer' }) as const,
      ),
      this.#queue
        .health()
        .then((health) =>
          health.status === 'up'
            ? ({ status: 'ok' } as const)
            : ({ status: 'failing', problem: `the ${health.kind} queue does not answer` } as const),
        ),
    ]);
    const status = database.status === 'ok' && queue.status === 'ok' ? 'ok' : 'failing';
    if (status === 'failing') answer.status(HttpStatus.SERVICE_UNAVAILABLE);
    return { status, parts: { database, queue } };
  }
}
