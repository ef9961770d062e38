import { setTimeout as wait } from 'node:timers/promises';
import type { RegistryCheck } from '@waybill/contracts/http';
import { ApiProblem } from '../api-client/api-problem.js';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { printChecked } from './print-check.js';

export interface CheckTopologyOptions {
  readonly json: boolean;
  /** How long to wait, in seconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
}

const pollMs = 300;
/** A worker that is there takes a check at once. */
const patienceMs = 5_000;

/** Has registries probed by workers where they stand, waits for it, and says what to do; gives the exit status. */
export async function checkTopology(
  api: WaybillApi,
  names: readonly string[],
  options: CheckTopologyOptions,
  output: Output,
): Promise<number> {
  const { id } = await api.checkRegistries(names);
  output.line(`check ${id}`);
  const check = await finished(api, id, options, output);
  if (check === undefined) {
    output.error(`the API did not answer for ${options.timeout} s: check ${id} goes on without us`);
    return exitStatus.unfinished;
  }
  if (options.json) output.json(check);
  else printChecked(check.registries, output);
  if (!check.finished) return exitStatus.unfinished;
  return check.registries.every(({ unmet }) => unmet?.length === 0) ? exitStatus.succeeded : exitStatus.failed;
}

/** The check when every registry was looked at, or as far as it is when the time is over; undefined when it could not be seen at all. */
async function finished(
  api: WaybillApi,
  id: string,
  { timeout, signal }: CheckTopologyOptions,
  output: Output,
): Promise<RegistryCheck | undefined> {
  const began = performance.now();
  let hint: string | undefined;
  let last: RegistryCheck | undefined;
  for (;;) {
    last = (await look(api, id)) ?? last;
    const elapsed = performance.now() - began;
    if (last?.finished === true || elapsed > timeout * 1000) return last;
    const waiting = elapsed > patienceMs ? waitingFor(last) : undefined;
    if (waiting !== undefined && waiting !== hint) output.error(waiting);
    hint = waiting ?? hint;
    await wait(pollMs, undefined, { signal });
  }
}

/** Undefined while the API is away for a moment. */
async function look(api: WaybillApi, id: string): Promise<RegistryCheck | undefined> {
  try {
    return await api.registryCheck(id);
  } catch (error) {
    if (error instanceof ApiProblem && error.retryable) return undefined;
    throw error;
  }
}

function waitingFor(check: RegistryCheck | undefined): string | undefined {
  if (check === undefined) return 'the API does not answer: still waiting';
  const queued = check.registries.filter(({ state }) => state === 'queued');
  const locations = [...new Set(queued.map(({ location }) => location))].sort();
  return locations.length === 0 ? undefined : `waiting for a worker that serves ${locations.join(', ')}`;
}
