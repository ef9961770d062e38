import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { type Logger, nestLogger } from '@waybill/observability';
import { ApiModule } from './api.module.js';
import { logRequests } from './http/request-log.js';
import { validationPipe } from './http/validation.js';
import { LOGGER } from './infrastructure/tokens.js';

const bodyLimit = '2mb';

/** The API as it is served, not listening yet. */
export async function createApi(): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(ApiModule, { bufferLogs: true, abortOnError: false });
  const logger = app.get<Logger>(LOGGER);
  app.useLogger(nestLogger(logger));
  app.disable('x-powered-by');
  app.useBodyParser('json', { limit: bodyLimit });
  app.use(logRequests(logger));
  app.useGlobalPipes(validationPipe());
  SwaggerModule.setup('api/docs', app, () => describeApi(app), {
    jsonDocumentUrl: 'api/docs/openapi.json',
    customSiteTitle: 'Waybill API',
  });
  app.enableShutdownHooks(['SIGTERM', 'SIGINT']);
  return app;
}

/** OpenAPI, from the schemas that validate. */
export function describeApi(app: NestExpressApplication): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('Waybill')
    .setDescription('Runs a company’s container registries as one system.')
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'an API key' });
  return SwaggerModule.createDocument(app, builder.build());
}
