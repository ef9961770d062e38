import { Controller, Get, Header, Res } from '@nestjs/common';
import { Metrics } from '@waybill/observability';

interface Answer {
  setHeader(name: string, value: string): unknown;
}

@Controller('metrics')
export class MetricsController {
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** What this worker and the system measure, for Prometheus. */
  @Get()
  @Header('Cache-Control', 'no-store')
  async read(@Res({ passthrough: true }) answer: Answer): Promise<string> {
    answer.setHeader('Content-Type', this.#metrics.contentType);
    return await this.#metrics.text();
  }
}
