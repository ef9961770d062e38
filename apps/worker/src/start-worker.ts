import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { nestLogger } from '@waybill/observability';
import { Notifications } from '@waybill/persistence';
import type { InfrastructureParts } from './infrastructure/infrastructure.module.js';
import { WorkerModule } from './worker.module.js';

export interface RunningWorker {
  readonly app: INestApplication;
  /** Where health is asked. */
  readonly port: number;
}

/** Starts the worker on a migrated database: it listens, takes promotions, and ends with 0 on SIGTERM and SIGINT. */
export async function startWorker(parts: InfrastructureParts): Promise<RunningWorker> {
  const { logger } = parts;
  const options = { logger: nestLogger(logger), abortOnError: false, ...serverOptions };
  return serveWorker(await NestFactory.create(WorkerModule.with(parts), options), parts);
}

/** What the worker's application is made with, whoever makes it. */
export const serverOptions = {
  // A probe that holds its connection open must not hold the end of the process up.
  forceCloseConnections: true,
} as const;

/** Starts an application that is made of the worker's modules. */
export async function serveWorker(app: INestApplication, { config, logger }: InfrastructureParts): Promise<RunningWorker> {
  app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
  await app.listen(config.port, config.host);
  // By now every feature has registered what it listens to.
  app.get(Notifications).start();
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  logger.info({ host: config.host, port }, 'worker is ready');
  return { app, port };
}
