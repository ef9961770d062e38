import { setTimeout as wait } from 'node:timers/promises';
import type { CreateRestore, Restore, RestoredManifests, TrashEntry } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { drawTable } from '../output/table.js';

/** A restore is read again this often while it is waited for. */
const pollMs = 500;
const shown = 200;

/** What of the trash is meant. */
export type TrashedArtifact = Pick<CreateRestore, 'registry' | 'repository' | 'digest' | 'tag'>;

export interface ListTrashOptions {
  readonly run?: string;
  readonly history: boolean;
  readonly limit: number;
  readonly json: boolean;
}

/** What was deleted and can come back, or also what became of the rest; gives the exit status. */
export async function listTrash(
  api: WaybillApi,
  artifact: TrashedArtifact | undefined,
  { run, history, limit, json }: ListTrashOptions,
  output: Output,
): Promise<number> {
  const page = await api.trash.list({ ...artifact, run, state: history ? 'all' : 'held', limit: String(limit) });
  if (json) output.json(page);
  else if (page.entries.length === 0) output.line('nothing of that is in the trash');
  else {
    output.line(drawTable(['digest', 'where', 'tags', 'deleted', 'by', 'until'], page.entries.map(rowOf)));
    if (page.next !== undefined) output.line('only the newest are shown: see --limit');
  }
  return exitStatus.succeeded;
}

export interface RestoreOptions {
  readonly run?: string;
  readonly reason: string;
  readonly wait: boolean;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** Has something brought back; gives the exit status. */
export async function restore(
  api: WaybillApi,
  artifact: TrashedArtifact | undefined,
  { run, reason, wait: isAwaited, json, signal }: RestoreOptions,
  output: Output,
): Promise<number> {
  const made = await api.trash.restore({ ...artifact, ...(run === undefined ? {} : { run }), reason });
  if (isAwaited) return showEnded(api, await ended(api, made, signal), json, output);
  if (json) output.json(made);
  else if (made.finishedAt !== undefined) output.line('it is back already: nothing is to be done');
  else output.line(`restore ${made.id} is asked for; see: waybill retention restores ${made.id}`);
  return exitStatus.succeeded;
}

/** The restores, or one and what it brings back; gives the exit status. */
export async function showRestores(
  api: WaybillApi,
  id: string | undefined,
  { limit, json }: { readonly limit: number; readonly json: boolean },
  output: Output,
): Promise<number> {
  if (id !== undefined) return showEnded(api, await api.trash.restoreOf(id), json, output);
  const page = await api.trash.restores(limit);
  if (json) output.json(page);
  else if (page.restores.length === 0) output.line('nothing was restored yet');
  else {
    output.line(drawTable(['restore', 'of', 'state', 'back', 'failed', 'asked for', 'reason'], page.restores.map(restoreRow)));
    if (page.next !== undefined) output.line('only the newest are shown: see --limit');
  }
  return exitStatus.succeeded;
}

async function showEnded(api: WaybillApi, found: Restore, json: boolean, output: Output): Promise<number> {
  const { manifests } = await api.trash.manifests(found.id, shown);
  if (json) output.json({ restore: found, manifests });
  else {
    const { id, state, restored, failed, open, error } = found;
    output.line(`restore ${id} of ${restoredBy(found)}: ${state}; ${restored} manifests are back, ${failed} failed, ${open} are to come`);
    if (error !== undefined) output.line(`${error.code}: ${error.message}`);
    for (const manifest of manifests) printTroubles(manifest, output);
  }
  return exitStatusOfRestore(found);
}

/** What is not as it was: somebody has to look at that. */
function printTroubles({ repository, digest, tags, error }: RestoredManifests['manifests'][number], output: Output): void {
  if (error !== undefined) output.line(`${repository}@${digest}: ${error.code}: ${error.message}`);
  for (const { tag, names } of tags) {
    if (names !== undefined) output.line(`${repository}:${tag} was left: it names ${names} by now`);
  }
}

async function ended(api: WaybillApi, made: Restore, signal: AbortSignal): Promise<Restore> {
  for (let found = made; ; found = await api.trash.restoreOf(made.id)) {
    if (found.finishedAt !== undefined) return found;
    await wait(pollMs, undefined, { signal });
  }
}

function rowOf({ digest, registry, repository, tags, deletedAt, policy, expiresAt, restoredAt, emptiedAt }: TrashEntry): string[] {
  const until = restoredAt === undefined ? expiresAt : `restored ${restoredAt}`;
  const where = `${registry}/${repository}`;
  return [digest, where, tags.join(' ') || '–', deletedAt, policy, emptiedAt === undefined ? until : `emptied ${emptiedAt}`];
}

function restoreRow(found: Restore): (string | number)[] {
  const { id, state, restored, failed, requestedAt, reason } = found;
  return [id, restoredBy(found), state, restored, failed, requestedAt, reason];
}

function restoredBy({ registry = '', repository, tag, digest, run }: Restore): string {
  if (repository === undefined) return `run ${run ?? ''}`;
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function exitStatusOfRestore({ state }: Restore): number {
  return state === 'requested' || state === 'running' ? exitStatus.unfinished : exitStatus[state];
}
