import type { AddressInfo } from 'node:net';
import { ConfigError, loadApiConfig } from '@waybill/config';
import { createLogger } from '@waybill/observability';
import { applyMigrations, untilDatabaseAnswers } from '@waybill/persistence';
import { createApi } from './create-api.js';

async function main(): Promise<void> {
  const config = loadApiConfig();
  const logger = createLogger({ name: 'api', level: config.logLevel });
  await untilDatabaseAnswers(() => applyMigrations(config.databaseUrl), {
    onAway: (err) => logger.warn({ err }, 'the api waits for the database'),
  });
  const app = await createApi(config, { logger });
  await app.listen(config.port, config.host);
  const { port } = app.getHttpServer().address() as AddressInfo;
  logger.info({ host: config.host, port }, 'api is ready');
  if (config.exitWithStdin) process.stdin.resume().once('end', () => process.kill(process.pid, 'SIGTERM'));
}

main().catch((error: unknown) => {
  process.stderr.write(`waybill api cannot start: ${reasonOf(error)}\n`);
  // Nest may have opened connections before it failed.
  process.exit(1);
});

/** Whoever set a variable wrong needs no stack. */
function reasonOf(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
