import { parseArgs } from 'node:util';
import { startLocalRegistry } from './local-registry.js';

/**
 * The registry as a process: `node dist/main.js --data DIR [--port N] [--exit-with-stdin]`.
 * One line of JSON, `{"url":…}`, says that it is ready.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      port: { type: 'string', default: '0' },
      'exit-with-stdin': { type: 'boolean', default: false },
    },
  });
  if (values.data === undefined) throw new Error('--data DIR is missing');
  if (!/^\d{1,5}$/.test(values.port)) throw new Error('--port must be a number');

  const registry = await startLocalRegistry({ dataDir: values.data, port: Number(values.port) });
  const stop = (): void => {
    void registry.close().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  // A parent that dies cannot say so, but the pipe to it closes: this process never outlives it.
  if (values['exit-with-stdin']) process.stdin.once('close', stop).on('error', stop).resume();
  process.stdout.write(`${JSON.stringify({ url: registry.url })}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`local registry: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
