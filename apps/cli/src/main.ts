import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { loadClientConfig } from '@waybill/config';
import { WaybillError } from '@waybill/kernel';
import { ApiProblem, explain } from './api-client/api-problem.js';
import { WaybillApi } from './api-client/waybill-api.js';
import { consoleOutput, type Output } from './output/console-output.js';
import { exitStatus } from './output/exit-status.js';
import { promote } from './promote/promote.js';
import { status } from './status/status.js';
import { applyTopology, showTopology, validateTopology } from './topology/topology-commands.js';
import { up } from './up/up.js';

const root = resolve(import.meta.dirname, '../../..');
const { version } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as { version: string };
const json = ['--json', 'print the result as JSON on standard output', false] as const;
const defaultApiPort = 8080;

function program(stop: AbortSignal): Command {
  const waybill = new Command('waybill')
    .description("Runs a company's container registries as one system.")
    .version(version, '-V, --version')
    .exitOverride()
    .showHelpAfterError('(add --help for the options)')
    .addHelpText('after', '\nThe API is found by WAYBILL_API_URL (default http://127.0.0.1:8080), the key by WAYBILL_API_KEY.');

  waybill
    .command('up')
    .description('start everything on this machine and promote an image through it')
    .option('--topology <file>', 'topology file (default: topology.yaml here, else the example)')
    .option('--data <folder>', 'where data is kept', '.waybill')
    .option('--port <number>', 'wanted port of the API', portNumber, defaultApiPort)
    .option('--image <reference|layout>', 'promote this image: registry/repository:tag, or the folder of an OCI layout')
    .option('--once', 'end after the promotion', false)
    .option(...json)
    .action((options: Parameters<typeof up>[0]) => run(options, (output) => up({ ...options, root, signal: stop }, output)));

  waybill
    .command('promote')
    .description('ask for a promotion')
    .argument('<source...>', 'registry/repository:tag or registry/repository@digest')
    .requiredOption('--path <name>', 'path of the topology')
    .option('--tag <tag...>', 'tags to write at the targets (default: the source tag)')
    .option('--reason <text>', 'why')
    .option('--label <key=value...>', 'labels to keep with it', labels)
    .option('--external-ref <text>', 'a name in another system, e.g. of the pipeline run')
    .option('--idempotency-key <key>', 'makes a repetition of this command safe')
    .option('--wait', 'wait until every target is done', false)
    .option(...json)
    .action((sources: string[], options: Parameters<typeof promote>[2]) =>
      run(options, (output) => promote(api(), sources, { ...options, signal: stop }, output)),
    );

  waybill
    .command('status')
    .description('show a promotion, or the newest ones')
    .argument('[promotion]', 'its id')
    .option('--limit <number>', 'how many to list', limit, 20)
    .option(...json)
    .action((id: string | undefined, options: Parameters<typeof status>[2]) =>
      run(options, (output) => status(api(), id, options, output)),
    );

  topologyCommands(waybill);
  return waybill;
}

function topologyCommands(waybill: Command): void {
  const topology = waybill.command('topology').description('check, apply and show the topology');
  topology
    .command('validate')
    .description('check a file, without any server')
    .argument('<file>')
    .option(...json)
    .action((file: string, options: { json: boolean }) => run(options, (output) => validateTopology(file, options, output)));
  topology
    .command('apply')
    .description('make a file the active revision')
    .argument('<file>')
    .option(...json)
    .action((file: string, options: { json: boolean }) => run(options, (output) => applyTopology(api(), file, options, output)));
  topology
    .command('show')
    .description('show the active revision')
    .option(...json)
    .action((options: { json: boolean }) => run(options, (output) => showTopology(api(), options, output)));
}

function api(): WaybillApi {
  const { apiUrl, apiKey } = loadClientConfig();
  return new WaybillApi({ url: apiUrl, key: apiKey });
}

async function run(options: { readonly json: boolean }, command: (output: Output) => Promise<number>): Promise<void> {
  process.exitCode = await command(consoleOutput(options));
}

function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError('expected a port from 0 to 65535');
}

function limit(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 200) return count;
  throw new InvalidArgumentError('expected a number from 1 to 200');
}

function labels(text: string, earlier: Readonly<Record<string, string>> = {}): Record<string, string> {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('expected key=value');
  return { ...earlier, [text.slice(0, equals)]: text.slice(equals + 1) };
}

/** Ctrl-C asks to stop; a second one ends at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(130);
      stop.abort(new Error(`stopped by ${name}`));
    });
  }
  return stop.signal;
}

function report(error: unknown, stop: AbortSignal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.succeeded : exitStatus.usage;
  if (stop.aborted) return 130;
  const lines = error instanceof ApiProblem ? explain(error) : [error instanceof WaybillError ? error.message : textOf(error)];
  process.stderr.write(`waybill: ${lines.join('\n  ')}\n`);
  return exitStatus.failed;
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

const stop = stopSignal();
try {
  await program(stop).parseAsync();
} catch (error) {
  process.exitCode = report(error, stop);
}
