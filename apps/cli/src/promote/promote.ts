import { randomUUID } from 'node:crypto';
import type { AcceptedPromotion, CreatePromotion } from '@waybill/contracts/http';
import { ApiProblem } from '../api-client/api-problem.js';
import type { WaybillApi } from '../api-client/waybill-api.js';
import { pausesInForce, registriesOf } from '../control/pauses-in-force.js';
import type { Output } from '../output/console-output.js';
import { exitStatus, exitStatusOf } from '../output/exit-status.js';
import { dryRun } from './dry-run.js';
import { type FollowOptions, followOrAsk } from './follow-or-ask.js';
import { printPromotion } from './print-promotion.js';
import { requestOf, type RequestOptions } from './request-of.js';

export interface PromoteOptions extends FollowOptions, RequestOptions {
  readonly idempotencyKey?: string;
  /** Say what would be done, and ask for nothing. */
  readonly dryRun: boolean;
  readonly wait: boolean;
  readonly json: boolean;
}

/** Asks for a promotion of one or more sources; gives the exit status. */
export async function promote(api: WaybillApi, sources: readonly string[], options: PromoteOptions, output: Output): Promise<number> {
  if (options.dryRun) return dryRun(api, sources, options, output);
  const accepted = await request(api, requestOf(sources, options), options, output);
  if (!options.wait) {
    if (options.json) output.json({ ...accepted, location: api.addressOfPromotion(accepted.id) });
    else await printAccepted(accepted, options.path, { api, output });
    return exitStatus.succeeded;
  }
  output.line(`promotion ${accepted.id}`);
  const promotion = await followOrAsk(api, accepted.id, options, output);
  if (options.json) output.json(promotion);
  else printPromotion(promotion, output);
  return exitStatusOf(promotion);
}

async function printAccepted(
  { id, items }: AcceptedPromotion,
  path: string,
  { api, output }: { readonly api: WaybillApi; readonly output: Output },
): Promise<void> {
  output.line(`promotion ${id} is requested`);
  for (const { source, digest, targets } of items) {
    output.line(`  ${source.registry}/${source.repository}@${digest} → ${targets.map(({ registry }) => registry).join(', ')}`);
  }
  output.line(`location: ${api.addressOfPromotion(id)}`);
  output.line(`follow it with: waybill status ${id}`);
  for (const line of await pausesInForce(api, { path, registries: registriesOf({ items }) })) output.line(`it waits: ${line}`);
}

/** Retryable, and yet the API says that nothing was recorded. */
const unrecorded: readonly string[] = ['source-unreachable'];

/** When no answer came, the request may have arrived all the same: its key makes a repetition safe. */
async function request(api: WaybillApi, body: CreatePromotion, options: PromoteOptions, output: Output): Promise<AcceptedPromotion> {
  const key = options.idempotencyKey ?? randomUUID();
  try {
    return await api.createPromotion(body, key);
  } catch (error) {
    const isRefused = error instanceof ApiProblem && (!error.retryable || unrecorded.includes(error.code));
    if (!isRefused) output.error(`the request may have been accepted: repeat it safely with --idempotency-key ${key}`);
    throw error;
  }
}
