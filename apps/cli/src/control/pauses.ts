import { randomUUID } from 'node:crypto';
import type { CreatePause, Pause } from '@waybill/contracts/http';
import { ApiProblem } from '../api-client/api-problem.js';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { drawTable } from '../output/table.js';
import { whyNothing } from '../topology/near-names.js';
import { coveredBy } from './pauses-in-force.js';

/** What a pause covers: everything, where nothing is named. */
export interface Covered {
  readonly path?: string;
  readonly registry?: string;
}

export interface PauseOptions extends Covered {
  readonly reason: string;
  readonly json: boolean;
}

/** Holds a path, a registry or everything still; gives the exit status. */
export async function pause(api: WaybillApi, options: PauseOptions, output: Output): Promise<number> {
  const made = await api.createPause({ ...scopeOf(options), reason: options.reason }, randomUUID());
  if (options.json) output.json(made);
  else output.line(`${coveredBy(made)} is paused: end it with waybill resume ${made.id}`);
  return exitStatus.succeeded;
}

export interface ResumeOptions extends Covered {
  readonly all?: boolean;
  readonly reason?: string;
  readonly json: boolean;
}

/** Ends pauses: the one of the id, those of a path or a registry, or all that hold; gives the exit status. */
export async function resume(api: WaybillApi, id: string | undefined, options: ResumeOptions, output: Output): Promise<number> {
  const ids = id === undefined ? (await openPauses(api)).filter((one) => isMeant(one, options)).map((one) => one.id) : [id];
  const ended: Pause[] = [];
  for (const each of ids) ended.push(await api.resumePause(each, options.reason === undefined ? {} : { reason: options.reason }));
  if (options.json) output.json({ pauses: ended });
  else if (ended.length === 0) await sayNothingIsPaused(api, options, output);
  if (!options.json && ended.length > 0) await sayWhatGoesOn(api, ended, output);
  return ended.length === 0 ? exitStatus.failed : exitStatus.succeeded;
}

async function sayNothingIsPaused(api: WaybillApi, covered: Covered, output: Output): Promise<void> {
  output.line('nothing of that is paused');
  for (const line of await whyNothing(api, covered)) output.line(line);
}

/** What ended holds nothing any more; something else may. */
async function sayWhatGoesOn(api: WaybillApi, ended: readonly Pause[], output: Output): Promise<void> {
  const left = await openPauses(api).catch((error: unknown) => {
    if (error instanceof ApiProblem) return [];
    throw error;
  });
  const isOver = (one: Pause): boolean => ended.some(({ id }) => id === one.id);
  const rest = left.filter((one) => !isOver(one) && one.scope !== 'collection');
  const isAllHeld = rest.some(({ scope }) => scope === 'global');
  for (const one of ended) output.line(isAllHeld ? `${coveredBy(one)} is resumed` : `${coveredBy(one)} goes on`);
  for (const { reason, id, ...one } of rest) output.line(`${coveredBy(one)} is still paused: ${reason} (pause ${id})`);
}

export interface ListOptions {
  readonly history: boolean;
  readonly limit: number;
  readonly json: boolean;
}

/** The pauses that hold, or those too that have ended; gives the exit status. */
export async function listPauses(api: WaybillApi, { history, limit, json }: ListOptions, output: Output): Promise<number> {
  const page = await api.pauses(limit, history ? 'all' : 'open');
  if (json) output.json(page);
  else if (page.pauses.length === 0) output.line(history ? 'nothing was paused yet' : 'nothing is paused');
  else {
    output.line(drawTable(['pause', 'covers', 'since', 'until', 'reason'], page.pauses.map(rowOf)));
    if (page.next !== undefined) output.line('only the newest are shown: see --limit');
  }
  return exitStatus.succeeded;
}

async function openPauses(api: WaybillApi): Promise<Pause[]> {
  const pauses: Pause[] = [];
  for await (const one of api.openPauses()) pauses.push(one);
  return pauses;
}

function isMeant({ scope, name }: Pause, { path, registry, all }: ResumeOptions): boolean {
  return (all === true && scope !== 'collection') || (scope === 'path' && name === path) || (scope === 'registry' && name === registry);
}

function scopeOf({ path, registry }: Covered): Pick<CreatePause, 'scope' | 'name'> {
  if (path !== undefined) return { scope: 'path', name: path };
  return registry === undefined ? { scope: 'global' } : { scope: 'registry', name: registry };
}

function rowOf(one: Pause): string[] {
  return [one.id, coveredBy(one), one.pausedAt, one.resumedAt ?? '–', one.reason];
}
