import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { SwaggerModule } from '@nestjs/swagger';
import type { ApiConfig } from '@waybill/config';
import { createLogger, type Logger, Metrics, nestLogger } from '@waybill/observability';
import { ApiModule } from './api.module.js';
import { describeApi } from './describe-api.js';
import { lastAnswers } from './http/last-answers.js';
import { logRequests } from './http/request-log.js';
import { measureRequests } from './http/request-metrics.js';
import { validationPipe } from './http/validation.js';
import { Draining } from './infrastructure/draining.js';

export interface CreateApiOptions {
  /** Where it says what it does; JSON lines on standard output when absent. */
  readonly logger?: Logger;
}

/** The API as it is served, not listening yet. Connects to nothing before it is initialised. */
export async function createApi(config: ApiConfig, options: CreateApiOptions = {}): Promise<NestExpressApplication> {
  const logger = options.logger ?? createLogger({ name: 'api', level: config.logLevel });
  const app = await NestFactory.create<NestExpressApplication>(ApiModule.with({ config, logger }), {
    logger: nestLogger(logger),
    abortOnError: false,
    bodyParser: false, // a body is read once it is known who sends it (read-body.interceptor.ts)
  });
  app.disable('x-powered-by');
  app.use(logRequests(logger), measureRequests(app.get(Metrics)), lastAnswers(app.get(Draining)));
  app.useGlobalPipes(validationPipe());
  SwaggerModule.setup('api/docs', app, () => describeApi(app), {
    jsonDocumentUrl: 'api/docs/openapi.json',
    customSiteTitle: 'Waybill API',
  });
  app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
  return app;
}
