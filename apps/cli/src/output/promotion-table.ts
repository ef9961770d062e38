import type { Promotion } from '@waybill/contracts/http';
import { coveredBy } from '../control/pauses-in-force.js';
import { formatBytes, formatSeconds, shortDigest } from './format.js';
import { drawTable } from './table.js';

type Item = Promotion['items'][number];
type Target = Item['targets'][number];

const nothing = '–';
const head = ['registry', 'repository:tag', 'digest', 'outcome', 'copied', 'mounted', 'seconds'];

/** One row per item and target: what went where, and how it ended. */
export function promotionTable(promotion: Promotion): string {
  const rows = promotion.items.flatMap((item) => item.targets.map((target) => rowOf(item, target)));
  return drawTable(head, rows);
}

/** What kept targets from being done, and what happened beside. */
export function promotionNotes(promotion: Promotion): string[] {
  return [...notesOfItems(promotion), ...cancellationNote(promotion)];
}

/** What is written stays: cancelling takes nothing back. */
function cancellationNote({ cancellation }: Promotion): string[] {
  if (cancellation === undefined) return [];
  const { requestedBy, requestedAt, reason, tagsWritten } = cancellation;
  const stays = tagsWritten.map(({ registry, repository, tag }) => `${registry}/${repository}:${tag}`);
  const rest = stays.length === 0 ? '' : `; written before, and staying: ${stays.join(', ')}`;
  return [`cancelled by ${requestedBy} at ${requestedAt}${reason === undefined ? '' : `: ${reason}`}${rest}`];
}

function notesOfItems(promotion: Promotion): string[] {
  return promotion.items.flatMap((item) => [
    ...(item.sourceMoved === undefined
      ? []
      : [
          `note: the source tag moved to ${item.sourceMoved.to ?? 'nothing'} meanwhile; ${item.digest}, pinned at request, is what was promoted`,
        ]),
    ...item.targets.flatMap(explained),
    ...item.targets.map(waitOf).filter((note) => note !== undefined),
  ]);
}

/** What went wrong at a target, by its code too, and what to do where that was its end. */
function explained(target: Target): string[] {
  const failure = failureOf(target);
  if (failure === undefined) return [];
  const { error, state, outcome } = target;
  if (state !== 'done' || error?.help === undefined) return [failure];
  return [failure, `  ${outcome ?? 'ended'} (${error.code}): ${error.help}`];
}

/** Whether a target holds what it should. */
export function hasArrived(outcome: Target['outcome']): boolean {
  return outcome === 'copied' || outcome === 'mounted' || outcome === 'already-present';
}

/** Why a target is not done yet, or ended without the image. */
export function failureOf({ registry, state, error, dueAt, attempts }: Target): string | undefined {
  if (error === undefined) return undefined;
  return `${registry}: ${error.message}${state === 'done' ? '' : ` (attempt ${attempts}, next ${dueAt ?? 'soon'})`}`;
}

/** Which worker or pause it waits for; a prod's own row tells how far it is. */
function waitOf(target: Target): string | undefined {
  const { registry, location, waitingFor } = target;
  if (waitingFor?.what !== 'worker') return pauseOf(target);
  return `${registry}: waiting for a worker at location "${location}", since ${waitingFor.since}`;
}

/** Which pause it waits for. */
export function pauseOf({ registry, waitingFor }: Target): string | undefined {
  if (waitingFor?.pause === undefined) return undefined;
  const { id, scope, name, reason, pausedBy, pausedAt } = waitingFor.pause;
  if (scope === 'collection') return `${registry}: it is being collected since ${pausedAt}, asked for by ${pausedBy}: ${reason}`;
  return `${registry}: ${coveredBy({ scope, name })} is paused by ${pausedBy} since ${pausedAt}: ${reason} (pause ${id})`;
}

function rowOf(item: Item, target: Target): string[] {
  return [
    target.registry + (target.requirement === 'best-effort' ? ' (replica)' : ''),
    `${target.repository}:${target.tags.map(({ tag }) => tag).join(',')}`,
    shortDigest(item.digest),
    target.outcome ?? target.state,
    formatBytes(target.bytesCopied),
    target.bytesMounted === 0 ? nothing : formatBytes(target.bytesMounted),
    secondsOf(target),
  ];
}

function secondsOf({ startedAt, finishedAt }: Target): string {
  if (startedAt === undefined || finishedAt === undefined) return nothing;
  return formatSeconds(Date.parse(finishedAt) - Date.parse(startedAt));
}
