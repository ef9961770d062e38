import { setTimeout as wait } from 'node:timers/promises';
import type { RetentionRun } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { formatBytes } from '../output/format.js';
import { drawTable } from '../output/table.js';
import type { WhyOptions } from './policies.js';
import { exitStatusOfRun, printDecisions, printMarks, printRepositories, printRun } from './print-run.js';

/** A run is read again this often while it is waited for. */
const pollMs = 500;

export interface PlanOptions {
  /** Show the plan of this run instead of making one. */
  readonly run?: string;
  readonly repository?: string;
  /** Show what is kept too, each with its reasons. */
  readonly keeps: boolean;
  readonly limit: number;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** What a policy would remove today, or would have removed in an earlier run; gives the exit status. */
export async function showPlan(api: WaybillApi, policy: string, options: PlanOptions, output: Output): Promise<number> {
  const { limit, json } = options;
  const run = await runToShow(api, policy, options);
  const repositories = await api.retention.runRepositories(run.id, limit);
  const decisions = await api.retention.decisions(run.id, limit, options.repository);
  if (json) output.json({ run, ...repositories, ...decisions });
  else {
    printRun(run, output);
    printRepositories(repositories, output);
    printDecisions(decisions, output);
  }
  return exitStatusOfRun(run);
}

async function runToShow(api: WaybillApi, policy: string, { run: id, keeps, signal }: PlanOptions): Promise<RetentionRun> {
  if (id !== undefined) return api.retention.run(id);
  const made = await api.retention.requestRun({ policy, dryRun: true, detail: keeps ? 'all' : 'removals' });
  return ended(api, made, signal);
}

export interface RunOptions extends WhyOptions {
  readonly wait: boolean;
  readonly signal: AbortSignal;
}

/** Has a policy run now; gives the exit status. */
export async function runPolicy(api: WaybillApi, policy: string, options: RunOptions, output: Output): Promise<number> {
  const { reason, json, signal } = options;
  const made = await api.retention.requestRun({ policy, ...(reason === undefined ? {} : { reason }) });
  const run = options.wait ? await ended(api, made, signal) : made;
  if (json) output.json(run);
  else if (options.wait) printRun(run, output);
  else output.line(`run ${run.id} is asked for; see: waybill retention plan ${policy} --run ${run.id}`);
  return options.wait ? exitStatusOfRun(run) : exitStatus.succeeded;
}

/** Runs of a policy, or of all, newest first; gives the exit status. */
export async function listRuns(
  api: WaybillApi,
  policy: string | undefined,
  { limit, json }: { readonly limit: number; readonly json: boolean },
  output: Output,
): Promise<number> {
  const page = await api.retention.runs(limit, policy);
  if (json) output.json(page);
  else if (page.runs.length === 0) output.line('no policy of retention has run yet');
  else {
    output.line(drawTable(['run', 'policy', 'registry', 'mode', 'state', 'begun', 'go', 'at most', 'gone'], page.runs.map(rowOf)));
    if (page.next !== undefined) output.line('only the newest are shown: see --limit');
  }
  return exitStatus.succeeded;
}

export interface MarksOptions {
  readonly repository?: string;
  readonly limit: number;
  readonly json: boolean;
}

/** A run, and what became of everything that it marked; gives the exit status. */
export async function showMarks(api: WaybillApi, id: string, { repository, limit, json }: MarksOptions, output: Output): Promise<number> {
  const run = await api.retention.run(id);
  const marks = await api.retention.marks(id, limit, repository);
  if (json) output.json({ run, ...marks });
  else {
    printRun(run, output);
    printMarks(marks, output);
  }
  return exitStatus.succeeded;
}

/** Ends a run: what it has not deleted yet stays; gives the exit status. */
export async function cancelRun(api: WaybillApi, id: string, { reason, json }: WhyOptions, output: Output): Promise<number> {
  const run = await api.retention.cancelRun(id, reason === undefined ? {} : { reason });
  if (json) output.json(run);
  else output.line(`run ${id} of ${run.policy}: ${run.state}`);
  return exitStatus.succeeded;
}

/** For somebody, or for the grace to be over. */
const waitsLong: ReadonlySet<RetentionRun['state']> = new Set(['waiting-approval', 'grace']);

async function ended(api: WaybillApi, made: RetentionRun, signal: AbortSignal): Promise<RetentionRun> {
  for (let run = made; ; run = await api.retention.run(made.id)) {
    if (run.finishedAt !== undefined || waitsLong.has(run.state)) return run;
    await wait(pollMs, undefined, { signal });
  }
}

function rowOf(run: RetentionRun): (string | number)[] {
  const { id, policy, registry, mode, state, requestedAt, removals, bytesAtMost, deleted } = run;
  return [id, policy, registry, mode, state, requestedAt, removals, formatBytes(bytesAtMost), mode === 'dryRun' ? '–' : deleted];
}
