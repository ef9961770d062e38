import { type Command, InvalidArgumentError } from 'commander';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { collect, type CollectOptions } from './collect.js';
import { listCollections, type ListCollectionsOptions } from './list-collections.js';

export interface CollectSurroundings {
  readonly api: () => WaybillApi;
  readonly stop: AbortSignal;
  readonly run: (options: { readonly json: boolean }, command: (output: Output) => Promise<number>) => Promise<void>;
}

const json = ['--json', 'print the result, or the error, as JSON on standard output', false] as const;

/** How the space of deleted images is given back. */
export function collectCommands(waybill: Command, { api, stop, run }: CollectSurroundings): void {
  waybill
    .command('collect')
    .description('give back the space of what no manifest of a local registry needs; copies to it wait meanwhile')
    .argument('<registry>', 'its name; of one that Waybill does not run, how it gives space back is shown')
    .option('--reason <text>', 'why, for those whose promotions wait', 'to give space back')
    .option('--dry-run', 'say what would be given back, and remove and hold nothing', false)
    .option('--wait', 'wait until it is over', false)
    .option(...json)
    .action((registry: string, options: CollectOptions) =>
      run(options, (output) => collect(api(), registry, { ...options, signal: stop }, output)),
    );
  waybill
    .command('collections')
    .description('list collections of a registry, newest first')
    .argument('<registry>', 'its name')
    .option('--limit <number>', 'how many to list', count, 20)
    .option(...json)
    .action((registry: string, options: ListCollectionsOptions) =>
      run(options, (output) => listCollections(api(), registry, options, output)),
    );
}

function count(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 200) return number;
  throw new InvalidArgumentError('expected a number from 1 to 200');
}
