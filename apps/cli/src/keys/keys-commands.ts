import { type Command, InvalidArgumentError } from 'commander';
import { verbNames } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { createKey, type CreateKeyOptions, listKeys, type ListKeysOptions, revokeKey, type Verb } from './keys.js';
import { parseExpiry } from './parse-expiry.js';

export interface KeysSurroundings {
  readonly api: () => WaybillApi;
  readonly run: (options: { readonly json: boolean }, command: (output: Output) => Promise<number>) => Promise<void>;
}

const json = ['--json', 'print the result, or the error, as JSON on standard output', false] as const;

const examples = `
Examples:
  waybill keys create release-pipeline --allow promotions:create promotions:read --path release --repository 'team-a/**' --expires 90d
  WAYBILL_API_KEY="$(waybill keys create reader --allow promotions:read artifacts:read)" waybill status`;

/** Who may do what at the API. */
export function keysCommands(waybill: Command, { api, run }: KeysSurroundings): void {
  const keys = waybill.command('keys').description('make, list and revoke API keys; needs a key with keys:manage');
  keys
    .command('create')
    .description('make a key, which is printed this once; it may do no more than yours')
    .argument('<subject>', 'name of the service or person that will use it')
    .requiredOption('--allow <verb...>', `what it may do: ${verbNames.join(', ')}`, verbs)
    .option('--path <pattern...>', 'on these paths, * and ? in names', ['*'])
    .option('--repository <pattern...>', 'on these repositories, * within a segment and ** for any', ['**'])
    .option('--expires <time>', 'when it ends: in so long, such as 90d or 12h, or 2026-12-31T00:00:00Z (default: never)', expiry)
    .option(...json)
    .addHelpText('after', examples)
    .action((subject: string, options: CreateKeyOptions) => run(options, (output) => createKey(api(), subject, options, output)));
  keys
    .command('list')
    .description('list the keys that work and may do no more than yours, oldest first')
    .option('--history', 'those too that were revoked or have expired', false)
    .option(...json)
    .action((options: ListKeysOptions) => run(options, (output) => listKeys(api(), options, output)));
  keys
    .command('revoke')
    .description('end a key at once')
    .argument('<key>', 'its id, see "waybill keys list"')
    .option(...json)
    .action((id: string, options: { readonly json: boolean }) => run(options, (output) => revokeKey(api(), id, options, output)));
}

function verbs(text: string, earlier: readonly Verb[] = []): Verb[] {
  const verb = verbNames.find((name) => name === text);
  if (verb !== undefined) return [...earlier, verb];
  throw new InvalidArgumentError(`expected one or more of ${verbNames.join(', ')}`);
}

function expiry(text: string): Date {
  const found = parseExpiry(text, new Date());
  if (found !== undefined) return found;
  throw new InvalidArgumentError('expected how long from now, such as 90d or 12h, or a time such as 2026-12-31T00:00:00Z');
}
