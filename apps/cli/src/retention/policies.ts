import type { RetentionPolicy } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { drawTable } from '../output/table.js';
import { printRun } from './print-run.js';

export interface StatusOptions {
  /** Those too that have left the topology. */
  readonly history: boolean;
  readonly limit: number;
  readonly json: boolean;
}

/** One policy, or all of them: what they may do, when they run, who approved them; gives the exit status. */
export async function showPolicies(api: WaybillApi, name: string | undefined, options: StatusOptions, output: Output): Promise<number> {
  if (name !== undefined) return showPolicy(api, name, options, output);
  const page = await api.retention.policies(options.limit, options.history ? 'all' : 'declared');
  if (options.json) output.json(page);
  else if (page.policies.length === 0) output.line('the topology declares no policy of retention');
  else {
    output.line(drawTable(['policy', 'registry', 'mode', 'runs next', 'approved', 'last plan'], page.policies.map(rowOf)));
    if (page.next !== undefined) output.line('not all are shown: see --limit');
  }
  return exitStatus.succeeded;
}

async function showPolicy(api: WaybillApi, name: string, { json }: StatusOptions, output: Output): Promise<number> {
  const policy = await api.retention.policy(name);
  if (json) {
    output.json(policy);
    return exitStatus.succeeded;
  }
  printPolicy(policy, output);
  if (policy.plannedRun !== undefined) printRun(await api.retention.run(policy.plannedRun), output);
  return exitStatus.succeeded;
}

export interface WhyOptions {
  readonly reason?: string;
  readonly json: boolean;
}

/** Keeps a policy from running by itself; gives the exit status. */
export async function pausePolicy(api: WaybillApi, name: string, { reason, json }: Required<WhyOptions>, output: Output): Promise<number> {
  const policy = await api.retention.pause(name, { reason });
  if (json) output.json(policy);
  else output.line(`policy ${name} is paused: end it with waybill retention resume ${name}`);
  return exitStatus.succeeded;
}

/** Ends the pause of a policy; gives the exit status. */
export async function resumePolicy(api: WaybillApi, name: string, { reason, json }: WhyOptions, output: Output): Promise<number> {
  const policy = await api.retention.resume(name, reason === undefined ? {} : { reason });
  if (json) output.json(policy);
  else output.line(`policy ${name} goes on${policy.nextDueAt === undefined ? '' : `, next at ${policy.nextDueAt}`}`);
  return exitStatus.succeeded;
}

function rowOf(policy: RetentionPolicy): string[] {
  const { name, registry, mode, approval, plannedRun } = policy;
  return [name, registry, mode, nextOf(policy), approval === undefined ? 'no' : 'yes', plannedRun ?? '–'];
}

function nextOf({ nextDueAt, pause, retiredAt }: RetentionPolicy): string {
  if (retiredAt !== undefined) return 'never: it has left the topology';
  if (pause !== undefined) return 'when it is resumed';
  return nextDueAt ?? 'never by itself';
}

function printPolicy(policy: RetentionPolicy, output: Output): void {
  const { name, registry, mode, revision, hash, pause, lastTick, approval, openRun } = policy;
  output.line(`policy ${name} of ${registry}: ${mode}, as of revision ${revision} (${hash.slice(0, 12)})`);
  output.line(`runs next: ${nextOf(policy)}`);
  if (pause !== undefined) output.line(`paused by ${pause.by} since ${pause.at}: ${pause.reason}`);
  if (lastTick !== undefined && lastTick.outcome !== 'run') output.line(`made no run at ${lastTick.at}: ${missed[lastTick.outcome]}`);
  if (approval === undefined) output.line('these words are not approved: it only plans');
  else output.line(`approved by ${approval.by} at ${approval.at}: ${approval.reason}`);
  if (openRun !== undefined) output.line(`under way: run ${openRun}`);
}

const missed = { overlap: 'a run was under way', 'too-late': 'its window was over' } as const;
