import { setTimeout as wait } from 'node:timers/promises';
import type { CreatePurge, Purge } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { drawTable } from '../output/table.js';

/** A purge is read again this often while it is waited for. */
const pollMs = 500;
const shown = 200;

/** A digest, in one repository or in every one of a registry. */
export type PurgedArtifact = Pick<CreatePurge, 'registry' | 'repository' | 'digest'>;

export interface PurgeOptions {
  readonly reason: string;
  readonly wait: boolean;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** Has something deleted at once and for good; gives the exit status. */
export async function purge(
  api: WaybillApi,
  artifact: PurgedArtifact,
  { reason, wait: isAwaited, json, signal }: PurgeOptions,
  output: Output,
): Promise<number> {
  const made = await api.trash.purge({ ...artifact, reason });
  if (isAwaited) return showPurge(api, await ended(api, made, signal), json, output);
  if (json) output.json(made);
  else output.line(`purge ${made.id} is asked for; see: waybill retention purges ${made.id}`);
  return exitStatus.succeeded;
}

/** The purges, or one and what it deletes; gives the exit status. */
export async function showPurges(
  api: WaybillApi,
  id: string | undefined,
  { limit, json }: { readonly limit: number; readonly json: boolean },
  output: Output,
): Promise<number> {
  if (id !== undefined) return showPurge(api, await api.trash.purgeOf(id), json, output);
  const page = await api.trash.purges(limit);
  if (json) output.json(page);
  else if (page.purges.length === 0) output.line('nothing was purged yet');
  else {
    output.line(drawTable(['purge', 'of', 'state', 'gone', 'failed', 'asked for', 'reason'], page.purges.map(rowOf)));
    if (page.next !== undefined) output.line('only the newest are shown: see --limit');
  }
  return exitStatus.succeeded;
}

async function showPurge(api: WaybillApi, found: Purge, json: boolean, output: Output): Promise<number> {
  const { manifests } = await api.trash.purged(found.id, shown);
  const { id, state, deleted, failed, open, error } = found;
  if (json) output.json({ purge: found, manifests });
  else {
    output.line(`purge ${id} of ${whatOf(found)}: ${state}; ${deleted} manifests are gone, ${failed} failed, ${open} are to go`);
    if (error !== undefined) output.line(`${error.code}: ${error.message}`);
    for (const { repository, digest, error: trouble } of manifests) {
      if (trouble !== undefined) output.line(`${repository}@${digest}: ${trouble.code}: ${trouble.message}`);
    }
  }
  return state === 'requested' || state === 'running' ? exitStatus.unfinished : exitStatus[state];
}

async function ended(api: WaybillApi, made: Purge, signal: AbortSignal): Promise<Purge> {
  for (let found = made; ; found = await api.trash.purgeOf(made.id)) {
    if (found.finishedAt !== undefined) return found;
    await wait(pollMs, undefined, { signal });
  }
}

function rowOf(found: Purge): (string | number)[] {
  const { id, state, deleted, failed, requestedAt, reason } = found;
  return [id, whatOf(found), state, deleted, failed, requestedAt, reason];
}

function whatOf({ registry, repository, digest }: Purge): string {
  return repository === undefined ? `${digest} at ${registry}` : `${registry}/${repository}@${digest}`;
}
