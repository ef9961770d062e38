import { type Command, InvalidArgumentError, Option } from 'commander';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { cancel, type CancelOptions } from './cancel.js';
import { type ListOptions, listPauses, pause, type PauseOptions, resume, type ResumeOptions } from './pauses.js';
import { retry, type RetryOptions } from './retry.js';

export interface ControlSurroundings {
  readonly api: () => WaybillApi;
  readonly stop: AbortSignal;
  /** A person's keyboard; absent where nobody can be asked. */
  readonly keyboard: NodeJS.ReadableStream | undefined;
  readonly run: (options: { readonly json: boolean }, command: (output: Output) => Promise<number>) => Promise<void>;
}

const json = ['--json', 'print the result, or the error, as JSON on standard output', false] as const;

/** What people decide about promotions under way. */
export function controlCommands(waybill: Command, { api, stop, keyboard, run }: ControlSurroundings): void {
  waybill
    .command('cancel')
    .description('stop what is left of a promotion; what is tagged stays')
    .argument('<promotion>', 'its id')
    .option('--reason <text>', 'why')
    .option(...json)
    .action((id: string, options: CancelOptions) => run(options, (output) => cancel(api(), id, options, output)));
  waybill
    .command('retry')
    .description('take up what failed or was cancelled of a promotion that has ended')
    .argument('<promotion>', 'its id')
    .option('--reason <text>', 'why')
    .option('--idempotency-key <key>', 'makes a repetition of this command safe')
    .option('--wait', 'wait until every target is done, replicas included', false)
    .option(...json)
    .action((id: string, options: RetryOptions) =>
      run(options, (output) => retry(api(), id, { ...options, signal: stop, keyboard }, output)),
    );
  pauseCommands(waybill, { api, run });
}

function pauseCommands(waybill: Command, { api, run }: Pick<ControlSurroundings, 'api' | 'run'>): void {
  waybill
    .command('pause')
    .description('hold a path, a registry or, with neither, everything still: nothing is begun or tagged')
    .addOption(pathOption().conflicts('registry'))
    .addOption(registryOption())
    .requiredOption('--reason <text>', 'why, for those whose promotions wait')
    .option(...json)
    .addHelpText('after', '\nExample:\n  waybill pause --path release --reason "release freeze until Monday"')
    .action((options: PauseOptions) => run(options, (output) => pause(api(), options, output)));
  const resuming = waybill
    .command('resume')
    .description('end pauses: by id, of a path, of a registry, or all')
    .argument('[pause]', 'its id')
    .addOption(pathOption().conflicts(['registry', 'all']))
    .addOption(registryOption().conflicts('all'))
    .option('--all', 'every pause that holds')
    .option('--reason <text>', 'why it may go on')
    .option(...json)
    .action((id: string | undefined, options: ResumeOptions) => {
      const isNamed = options.path !== undefined || options.registry !== undefined || options.all === true;
      if ((id !== undefined) === isNamed) resuming.error('error: name one of: a pause by its id, --path, --registry, --all');
      return run(options, (output) => resume(api(), id, options, output));
    });
  waybill
    .command('pauses')
    .description('list what is paused, and why')
    .option('--history', 'those too that have ended', false)
    .option('--limit <number>', 'how many to list', count, 50)
    .option(...json)
    .action((options: ListOptions) => run(options, (output) => listPauses(api(), options, output)));
}

function pathOption(): Option {
  return new Option('--path <name>', 'a path of the topology');
}

function registryOption(): Option {
  return new Option('--registry <name>', 'a registry of the topology, as source or target');
}

function count(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 200) return number;
  throw new InvalidArgumentError('expected a number from 1 to 200');
}
