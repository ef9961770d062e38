import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { type ApiConfig, ConfigError, loadApiConfig } from '@waybill/config';
import type { Logger } from '@waybill/observability';
import { applyMigrations } from '@waybill/persistence';
import { createApi } from './create-api.js';
import { CONFIG, LOGGER } from './infrastructure/tokens.js';

async function main(): Promise<void> {
  await applyMigrations(loadApiConfig().databaseUrl);
  const app = await createApi();
  const config = app.get<ApiConfig>(CONFIG);
  await app.listen(config.port, config.host);
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  app.get<Logger>(LOGGER).info({ host: config.host, port }, 'api is ready');
  if (config.exitWithStdin) process.stdin.resume().once('end', () => process.kill(process.pid, 'SIGTERM'));
}

main().catch((error: unknown) => {
  const text = error instanceof ConfigError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`waybill api cannot start: ${text}\n`);
  // Nest may have opened connections before it failed.
  process.exit(1);
});
