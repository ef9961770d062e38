import { Controller, Get, HttpStatus, Inject, Res } from '@nestjs/common';
import type { Health } from '@waybill/contracts/http';
import { Database } from '@waybill/persistence';
import type { JobQueue } from '@waybill/queue';
import { Draining } from '../../infrastructure/draining.js';
import { answersWithin } from '../../infrastructure/answers-within.js';
import { JOB_QUEUE } from '../../infrastructure/tokens.js';

/** A probe waits no longer, and a silent part is a failing one. */
const answerMs = 2_000;

type PartHealth = Health['parts'][string];

interface Answer {
  status(code: number): unknown;
}

/** The worker's only routes. */
@Controller('health')
export class HealthController {
  readonly #database: Database;
  readonly #queue: JobQueue;
  readonly #draining: Draining;

  constructor(database: Database, @Inject(JOB_QUEUE) queue: JobQueue, draining: Draining) {
    this.#database = database;
    this.#queue = queue;
    this.#draining = draining;
  }

  /** The process answers. */
  @Get('live')
  live(): Health {
    return { status: 'ok', parts: {} };
  }

  /** The process can do its work; otherwise which part keeps it from that. */
  @Get('ready')
  async ready(@Res({ passthrough: true }) answer: Answer): Promise<Health> {
    if (this.#draining.isUnderWay) {
      answer.status(HttpStatus.SERVICE_UNAVAILABLE);
      return { status: 'failing', parts: { process: { status: 'failing', problem: 'the process is stopping' } } };
    }
    const [database, queue] = await Promise.all([this.#databaseHealth(), this.#queueHealth()]);
    const status = database.status === 'ok' && queue.status === 'ok' ? 'ok' : 'failing';
    if (status === 'failing') answer.status(HttpStatus.SERVICE_UNAVAILABLE);
    return { status, parts: { database, queue } };
  }

  async #databaseHealth(): Promise<PartHealth> {
    const isUp = await answersWithin(answerMs, this.#database.ping());
    return isUp ? { status: 'ok' } : { status: 'failing', problem: 'the database does not answer' };
  }

  async #queueHealth(): Promise<PartHealth> {
    const { status, kind } = await this.#queue.health();
    return status === 'up' ? { status: 'ok' } : { status: 'failing', problem: `the ${kind} queue does not answer` };
  }
}
