import { ConfigError, loadWorkerConfig } from '@waybill/config';
import { createLogger, redactText } from '@waybill/observability';
import { applyMigrations, untilDatabaseAnswers } from '@waybill/persistence';
import { itemTargetTransitions, mistakesOf } from '@waybill/promotion';
import { startWorker } from './start-worker.js';

async function main(): Promise<void> {
  const mistakes = mistakesOf(itemTargetTransitions, 'pending', 'done');
  if (mistakes.length > 0) throw new Error(`the table of item-target transitions is wrong: ${mistakes.join('; ')}`);
  const config = loadWorkerConfig();
  const logger = createLogger({ name: 'worker', level: config.logLevel });
  // A promise that nobody caught comes here too. What was under way is taken over when its lease ends.
  process.on('uncaughtException', (err) => {
    logger.fatal({ err }, 'the worker broke and ends');
    process.exit(1);
  });
  await untilDatabaseAnswers(() => applyMigrations(config.databaseUrl), {
    onAway: (err) => logger.warn({ err }, 'the worker waits for the database'),
  });
  await startWorker({ config, logger });
  if (config.exitWithStdin) process.stdin.resume().once('end', () => process.kill(process.pid, 'SIGTERM'));
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Whoever set the environment reads this, and needs no stack.
  return error instanceof ConfigError ? error.message : (error.stack ?? error.message);
}

main().catch((error: unknown) => {
  process.stderr.write(`waybill worker cannot start: ${redactText(reasonOf(error))}\n`);
  // Nest may have opened connections before it failed.
  process.exit(1);
});
