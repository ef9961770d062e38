import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiProduces, ApiTags } from '@nestjs/swagger';
import { Metrics } from '@waybill/observability';
import type { Response } from 'express';
import { Requires } from '../../http/access-rule.js';
import { Documented } from '../../http/api-documentation.js';

@ApiTags('metrics')
@ApiBearerAuth()
@Controller('metrics')
export class MetricsController {
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** Names of registries and paths stand in it: for those who may know them. */
  @Get()
  @Requires('metrics:read')
  @Header('Cache-Control', 'no-store')
  @ApiProduces('text/plain')
  @Documented({ summary: 'What this process measures, for Prometheus', audience: 'operators', status: 200 })
  async read(@Res({ passthrough: true }) response: Response): Promise<string> {
    response.setHeader('Content-Type', this.#metrics.contentType);
    return await this.#metrics.text();
  }
}
