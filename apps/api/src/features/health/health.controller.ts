import { Controller, Get, HttpStatus, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { Health } from '@waybill/contracts/http';
import { Database } from '@waybill/persistence';
import type { Response } from 'express';
import { Public } from '../../http/access-rule.js';
import { Documented } from '../../http/api-documentation.js';
import { Draining } from '../../infrastructure/draining.js';

@ApiTags('health')
@Controller('health')
export class HealthController {
  readonly #database: Database;
  readonly #draining: Draining;

  constructor(database: Database, draining: Draining) {
    this.#database = database;
    this.#draining = draining;
  }

  @Get('live')
  @Public()
  @Documented({ summary: 'Does the process answer?', audience: 'operators', status: 200, answer: Health, open: true })
  live(): Health {
    return { status: 'ok', parts: {} };
  }

  @Get('ready')
  @Public()
  @Documented({ summary: 'Can it handle requests?', audience: 'operators', status: 200, answer: Health, open: true })
  @ApiResponse({ status: 503, description: 'a part is failing, and which', standardSchema: Health })
  async ready(@Res({ passthrough: true }) response: Response): Promise<Health> {
    if (this.#draining.isUnderWay) {
      response.status(HttpStatus.SERVICE_UNAVAILABLE);
      return { status: 'failing', parts: { process: { status: 'failing', problem: 'the process is stopping' } } };
    }
    try {
      await this.#database.ping();
      return { status: 'ok', parts: { database: { status: 'ok' } } };
    } catch {
      response.status(HttpStatus.SERVICE_UNAVAILABLE);
      return { status: 'failing', parts: { database: { status: 'failing', problem: 'the database does not answer' } } };
    }
  }
}
