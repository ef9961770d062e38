// Runs real workers, one after another, each until it is told to stop: what goes on when another one was killed. It is
// a process of its own that lives through many cases, because starting one takes longer than most cases.
import { createInterface } from 'node:readline';
import { loadWorkerConfig } from '@waybill/config';
import { createLogger } from '@waybill/observability';
import { type RunningWorker, startWorker } from '../../../apps/worker/src/start-worker.js';

let worker: RunningWorker | undefined;

/** One line on standard input is the environment of the next worker, `{}` ends it; each is answered by a line. */
for await (const line of createInterface({ input: process.stdin })) {
  const env = JSON.parse(line) as Readonly<Record<string, string>>;
  await worker?.app.close();
  worker = env['DATABASE_URL'] === undefined ? undefined : await start(env);
  process.stdout.write('{"done":true}\n');
}
process.exit(0);

async function start(env: Readonly<Record<string, string>>): Promise<RunningWorker> {
  const config = loadWorkerConfig(env);
  // Standard output is for answers.
  return startWorker({ config, logger: createLogger({ name: 'worker', level: config.logLevel, destination: process.stderr }) });
}
