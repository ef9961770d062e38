import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import type { WhyOptions } from './policies.js';
import { printRun } from './print-run.js';

export interface ApproveOptions {
  /** The run whose plan was looked at; default: the newest plan of the policy as it is. */
  readonly run?: string;
  readonly reason: string;
  readonly json: boolean;
}

/** Approves a policy in the words it has now, on the strength of a plan; gives the exit status. */
export async function approvePolicy(api: WaybillApi, name: string, options: ApproveOptions, output: Output): Promise<number> {
  const run = options.run ?? (await api.retention.policy(name)).plannedRun;
  if (run === undefined) {
    output.error(`waybill: policy ${name} has no plan as it is: look at one first, with waybill retention plan ${name}`);
    return exitStatus.failed;
  }
  const approval = await api.retention.approve({ policy: name, run, reason: options.reason });
  if (options.json) output.json(approval);
  else {
    printRun(await api.retention.run(run), output);
    output.line(`policy ${name} is approved in these words (${approval.hash.slice(0, 12)}); any other needs another approval`);
  }
  return exitStatus.succeeded;
}

/** Lets the plan of one run go beyond the limits of its policy; gives the exit status. */
export async function approvePlan(
  api: WaybillApi,
  id: string,
  { reason, json }: Omit<ApproveOptions, 'run'>,
  output: Output,
): Promise<number> {
  const run = await api.retention.approvePlan(id, { reason });
  if (json) output.json(run);
  else printRun(run, output);
  return exitStatus.succeeded;
}

/** Takes back the approval of a policy as it is; gives the exit status. */
export async function revokeApproval(api: WaybillApi, name: string, { reason, json }: WhyOptions, output: Output): Promise<number> {
  const { approval } = await api.retention.policy(name);
  if (approval === undefined) {
    output.error(`waybill: policy ${name} is not approved as it is`);
    return exitStatus.failed;
  }
  const revoked = await api.retention.revoke(approval.id, reason === undefined ? {} : { reason });
  if (json) output.json(revoked);
  else output.line(`policy ${name} is no longer approved: it only plans from its next run on`);
  return exitStatus.succeeded;
}
