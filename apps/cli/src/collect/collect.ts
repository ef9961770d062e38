import { setTimeout as wait } from 'node:timers/promises';
import type { Collection } from '@waybill/contracts/http';
import { ApiProblem } from '../api-client/api-problem.js';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { formatBytes } from '../output/format.js';

export interface CollectOptions {
  readonly reason: string;
  readonly dryRun: boolean;
  readonly wait: boolean;
  readonly json: boolean;
  readonly signal?: AbortSignal;
}

const pollMs = 300;

/** What a collection is at, for whoever waits for it. */
const tellings: Readonly<Record<Collection['state'], string>> = {
  requested: 'waiting for the "waybill up" that runs the registry',
  draining: 'waiting for copies to the registry that have begun; new ones wait',
  'read-only': 'the registry refuses writes',
  collecting: 'removing what no manifest needs',
  restarting: 'taking the registry back into service',
  complete: 'done',
  failed: 'failed',
  refused: 'refused',
};

/** Asks that a local registry gives space back, and waits for it if asked to; gives the exit status. */
export async function collect(api: WaybillApi, registry: string, options: CollectOptions, output: Output): Promise<number> {
  const { reason, dryRun, wait: waits, json } = options;
  const asked = await api.collectRegistry(registry, { reason, dryRun });
  if (!waits) {
    if (json) output.json(asked);
    else output.line(`collection ${asked.id} of ${registry} is asked for; see what became of it with: waybill collections ${registry}`);
    return exitStatus.succeeded;
  }
  const ended = await untilOver(api, asked, options, output);
  if (json) output.json(ended);
  else tellEnd(ended, output);
  return ended.state === 'complete' ? exitStatus.succeeded : exitStatus.failed;
}

async function untilOver(api: WaybillApi, asked: Collection, { signal, dryRun }: CollectOptions, output: Output): Promise<Collection> {
  let last = asked;
  let told: Collection['state'] | undefined;
  while (last.finishedAt === undefined) {
    if (last.state !== told) {
      output.error(dryRun && last.state === 'collecting' ? 'looking for what no manifest needs' : tellings[last.state]);
    }
    told = last.state;
    await wait(pollMs, undefined, { signal });
    last = (await look(api, last)) ?? last;
  }
  return last;
}

/** Undefined while the API is away for a moment. */
async function look(api: WaybillApi, { registry, id }: Collection): Promise<Collection | undefined> {
  try {
    return await api.collection(registry, id);
  } catch (error) {
    if (error instanceof ApiProblem && error.retryable) return undefined;
    throw error;
  }
}

function tellEnd({ registry, dryRun, error, bytesBefore = 0, reclaimedBytes = 0, blobs = 0 }: Collection, output: Output): void {
  if (error !== undefined) output.error(`${registry} was not collected: ${error.message}`);
  else if (dryRun) {
    output.line(`${registry} would give back at most ${formatBytes(reclaimedBytes)} of ${formatBytes(bytesBefore)}, in ${blobs} blobs`);
  } else output.line(`${registry} gave ${formatBytes(reclaimedBytes)} of ${formatBytes(bytesBefore)} back, in ${blobs} blobs`);
}
