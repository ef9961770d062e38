import { type Command, InvalidArgumentError } from 'commander';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { approvePlan, approvePolicy, type ApproveOptions, revokeApproval } from './approvals.js';
import { type HeldArtifact, parseHeldArtifact } from './held-artifact.js';
import { type HoldOptions, listHolds, type ListHoldsOptions, placeHold, releaseHold } from './holds.js';
import { pausePolicy, resumePolicy, showPolicies, type StatusOptions, type WhyOptions } from './policies.js';
import { listReporters, retireReporter } from './reporters.js';
import { cancelRun, listRuns, type MarksOptions, type PlanOptions, runPolicy, type RunOptions, showMarks, showPlan } from './runs.js';
import type { RetentionSurroundings } from './surroundings.js';
import { trashCommands } from './trash-commands.js';

const json = ['--json', 'print the result, or the error, as JSON on standard output', false] as const;
const limit = ['--limit <number>', 'how many to list', count, 50] as const;
const why = ['--reason <text>', 'why'] as const;

interface Listing {
  readonly limit: number;
  readonly json: boolean;
}

/** What registries keep. */
export function retentionCommands(waybill: Command, surroundings: RetentionSurroundings): void {
  const retention = waybill.command('retention').description('show, plan and hold back what registries no longer keep');
  policyCommands(retention, surroundings);
  runCommands(retention, surroundings);
  approvalCommands(retention, surroundings);
  holdCommands(retention, surroundings);
  reporterCommands(retention, surroundings);
  trashCommands(retention, surroundings);
}

function policyCommands(retention: Command, { api, run }: RetentionSurroundings): void {
  retention
    .command('status')
    .description('show the policies, or one with its newest plan')
    .argument('[policy]', 'its name')
    .option('--history', 'those too that have left the topology', false)
    .option(...limit)
    .option(...json)
    .action((name: string | undefined, options: StatusOptions) => run(options, (output) => showPolicies(api(), name, options, output)));
  retention
    .command('pause')
    .description('keep a policy from running by itself')
    .argument('<policy>', 'its name')
    .requiredOption(...why)
    .option(...json)
    .action((name: string, options: Required<WhyOptions>) => run(options, (output) => pausePolicy(api(), name, options, output)));
  retention
    .command('resume')
    .description('end the pause of a policy')
    .argument('<policy>', 'its name')
    .option(...why)
    .option(...json)
    .action((name: string, options: WhyOptions) => run(options, (output) => resumePolicy(api(), name, options, output)));
}

function runCommands(retention: Command, { api, stop, run }: RetentionSurroundings): void {
  retention
    .command('plan')
    .description('plan now what a policy would remove, and show it')
    .argument('<policy>', 'its name')
    .option('--run <id>', 'show the plan of this run instead')
    .option('--repository <name>', 'show the decisions of this repository')
    .option('--keeps', 'show what is kept too, each with its reasons', false)
    .option('--limit <number>', 'how many repositories and decisions to show', count, 50)
    .option(...json)
    .action((name: string, options: PlanOptions) => run(options, (output) => showPlan(api(), name, { ...options, signal: stop }, output)));
  retention
    .command('run')
    .description('have a policy run now, as by its schedule')
    .argument('<policy>', 'its name')
    .option(...why)
    .option('--wait', 'wait for its end', false)
    .option(...json)
    .action((name: string, options: RunOptions) => run(options, (output) => runPolicy(api(), name, { ...options, signal: stop }, output)));
  retention
    .command('history')
    .description('list the runs of a policy, or of all, newest first')
    .argument('[policy]', 'its name')
    .option(...limit)
    .option(...json)
    .action((name: string | undefined, options: Listing) => run(options, (output) => listRuns(api(), name, options, output)));
  retention
    .command('marks')
    .description('show what a run marked, and what became of each: deleted, or spared and why')
    .argument('<run>', 'its id')
    .option('--repository <name>', 'only those of this repository')
    .option(...limit)
    .option(...json)
    .action((id: string, options: MarksOptions) => run(options, (output) => showMarks(api(), id, options, output)));
  retention
    .command('cancel')
    .description('end a run: what it has not deleted yet stays')
    .argument('<run>', 'its id')
    .option(...why)
    .option(...json)
    .action((id: string, options: WhyOptions) => run(options, (output) => cancelRun(api(), id, options, output)));
}

function approvalCommands(retention: Command, { api, run }: RetentionSurroundings): void {
  retention
    .command('approve')
    .description('approve a policy in the very words it has now; or, without a policy, one plan that goes beyond its limits')
    .argument('[policy]', 'its name')
    .requiredOption(...why)
    .option('--run <id>', 'the run whose plan was looked at (default: the newest plan of the policy as it is)')
    .option(...json)
    .action((name: string | undefined, options: ApproveOptions) => run(options, (output) => approve(api(), name, options, output)));
  retention
    .command('revoke')
    .description('take the approval of a policy back')
    .argument('<policy>', 'its name')
    .option(...why)
    .option(...json)
    .action((name: string, options: WhyOptions) => run(options, (output) => revokeApproval(api(), name, options, output)));
}

/** A policy for as long as its words stand, or one plan. */
function approve(api: WaybillApi, name: string | undefined, options: ApproveOptions, output: Output): Promise<number> {
  if (name !== undefined) return approvePolicy(api, name, options, output);
  if (options.run !== undefined) return approvePlan(api, options.run, options, output);
  output.error('waybill: name the policy to approve, or with --run the plan that may go beyond its limits');
  return Promise.resolve(exitStatus.usage);
}

function holdCommands(retention: Command, { api, run }: RetentionSurroundings): void {
  retention
    .command('hold')
    .description('keep retention from removing a digest, a tag or a repository')
    .argument('<artifact>', 'a digest, or registry/repository with :tag or @digest; * for the registry means all', heldArtifact)
    .requiredOption(...why)
    .option('--expires <time>', 'when it ends by itself, e.g. 2026-12-31T00:00:00Z', time)
    .option(...json)
    .addHelpText('after', '\nExample:\n  waybill retention hold prod/team-a/app:1.4.0 --reason "audit of May"')
    .action((on: HeldArtifact, options: HoldOptions) => run(options, (output) => placeHold(api(), on, options, output)));
  retention
    .command('release')
    .description('end a hold')
    .argument('<hold>', 'its id')
    .option(...why)
    .option(...json)
    .action((id: string, options: WhyOptions) => run(options, (output) => releaseHold(api(), id, options, output)));
  retention
    .command('holds')
    .description('list what is held, and why')
    .option('--history', 'those too that have ended', false)
    .option(...limit)
    .option(...json)
    .action((options: ListHoldsOptions) => run(options, (output) => listHolds(api(), options, output)));
}

function reporterCommands(retention: Command, { api, run }: RetentionSurroundings): void {
  retention
    .command('reporters')
    .description('list who reports what runs, and who is silent')
    .option(...limit)
    .option(...json)
    .action((options: Listing) => run(options, (output) => listReporters(api(), options, output)));
  retention
    .command('retire')
    .description('say that a reporter is gone for good: what it covered is no longer unknown')
    .argument('<reporter>', 'its name')
    .requiredOption(...why)
    .option(...json)
    .action((name: string, options: Required<WhyOptions>) => run(options, (output) => retireReporter(api(), name, options, output)));
}

function heldArtifact(text: string): HeldArtifact {
  const held = parseHeldArtifact(text);
  if (held !== undefined) return held;
  throw new InvalidArgumentError('expected a digest, or registry/repository with :tag or @digest behind it');
}

function time(text: string): Date {
  const date = new Date(text);
  if (/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text) && !Number.isNaN(date.getTime())) return date;
  throw new InvalidArgumentError('expected a time such as 2026-12-31T00:00:00Z');
}

function count(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 200) return number;
  throw new InvalidArgumentError('expected a number from 1 to 200');
}
