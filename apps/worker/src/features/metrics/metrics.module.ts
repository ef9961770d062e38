import { Inject, Module } from '@nestjs/common';
import { type Logger, Metrics } from '@waybill/observability';
import { Database, readRetentionState, readSystemState } from '@waybill/persistence';
import { LOGGER } from '../../infrastructure/tokens.js';
import { MetricsController } from './metrics.controller.js';
import { measureRetention } from './retention-gauges.js';
import { measureSystem } from './system-gauges.js';

@Module({ controllers: [MetricsController] })
export class MetricsModule {
  constructor(metrics: Metrics, database: Database, @Inject(LOGGER) logger: Logger) {
    measureSystem({ metrics, readState: () => readSystemState(database), logger });
    measureRetention({ metrics, readState: () => readRetentionState(database), logger });
  }
}
