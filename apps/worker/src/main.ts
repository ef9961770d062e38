import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { ConfigError, type WorkerConfig } from '@waybill/config';
import { type Logger, nestLogger } from '@waybill/observability';
import { applyMigrations, Notifications } from '@waybill/persistence';
import { mistakesOf, itemTargetTransitions } from '@waybill/promotion';
import { loadWorkerConfig } from '@waybill/config';
import { CONFIG, LOGGER } from './infrastructure/tokens.js';
import { WorkerModule } from './worker.module.js';

async function main(): Promise<void> {
  const mistakes = mistakesOf(itemTargetTransitions, 'pending', 'done');
  if (mistakes.length > 0) throw new Error(`the table of item-target transitions is wrong: ${mistakes.join('; ')}`);
  await applyMigrations(loadWorkerConfig().databaseUrl);

  const app = await NestFactory.create(WorkerModule, { bufferLogs: true, abortOnError: false });
  const logger = app.get<Logger>(LOGGER);
  const config = app.get<WorkerConfig>(CONFIG);
  app.useLogger(nestLogger(logger));
  app.enableShutdownHooks(['SIGTERM', 'SIGINT']);
  await app.listen(config.port, config.host);
  // Every feature has registered what it listens to.
  app.get(Notifications).start();
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  logger.info({ host: config.host, port }, 'worker is ready');
  if (config.exitWithStdin) process.stdin.resume().once('end', () => process.kill(process.pid, 'SIGTERM'));
}

main().catch((error: unknown) => {
  const text = error instanceof ConfigError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`waybill worker cannot start: ${text}\n`);
  process.exitCode = 1;
  // Nest may have opened connections before it failed.
  process.exit();
});
