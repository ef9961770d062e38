import type { PromotionEstimate } from '@waybill/contracts/http';
import { formatBytes, shortDigest } from '../output/format.js';
import { drawTable } from '../output/table.js';

type Item = PromotionEstimate['items'][number];
type Target = Item['targets'][number];
type Tag = Target['tags'][number];
type Forecast = PromotionEstimate['estimate']['targets'][number];
type Link = PromotionEstimate['estimate']['links'][number];
type Counts = NonNullable<Forecast['blobs']>;

const head = ['registry', 'repository', 'tags', 'manifests', 'blobs', 'to send', 'to mount', 'there', 'unknown', 'requests'];
const unseen = '–';

/** One row per item and target: what its tags hold, and what would be done. */
export function estimateTable({ items, estimate }: PromotionEstimate): string {
  return drawTable(
    head,
    items.flatMap((item, position) =>
      item.targets.map((target) => {
        const forecast = estimate.targets.find((one) => one.item === position && one.registry === target.registry);
        return rowOf(target, forecast);
      }),
    ),
  );
}

/** What stands in the way, what could not be seen, and what crosses from one location to another. */
export function estimateNotes({ conflicts, estimate }: PromotionEstimate): string[] {
  return [
    ...conflicts.map(({ registry, repository, tag, holds, requirement }) => {
      const end = requirement === 'required' ? 'a request would be refused' : 'this replica would end as a conflict';
      return `conflict: ${registry}/${repository}:${tag} is immutable and holds ${holds}: ${end}`;
    }),
    ...estimate.targets.flatMap(({ registry, item, unseen: reason }) =>
      reason === undefined
        ? []
        : [`note: item ${item} at ${registry} is not fully known: ${reason === 'deadline' ? 'no answer in time' : reason}`],
    ),
    ...estimate.links.map(linkOf),
  ];
}

function rowOf({ registry, repository, requirement, tags }: Target, forecast: Forecast | undefined): string[] {
  const { manifests, manifestBytes, blobs, bytes, requests } = forecast ?? {};
  const sum = (part: keyof Counts): string =>
    bytes === undefined ? unseen : formatBytes((bytes[part] ?? 0) + (manifestBytes?.[part] ?? 0));
  return [
    registry + (requirement === 'best-effort' ? ' (replica)' : ''),
    repository,
    tags.map(tagOf).join(', '),
    shareOf(manifests),
    shareOf(blobs),
    sum('copy'),
    sum('mount'),
    sum('skip'),
    sum('unknown'),
    requests === undefined ? unseen : String(requests),
  ];
}

function tagOf({ tag, change, expected }: Tag): string {
  const held = expected.digest === undefined || change === 'keep' ? '' : ` from ${shortDigest(expected.digest)}`;
  return `${tag} (${change}${held})`;
}

/** How many of all would be written, what is not known included. */
function shareOf(counts: Counts | undefined): string {
  if (counts === undefined) return unseen;
  const { copy, mount, skip, unknown = 0 } = counts;
  return `${copy + mount + unknown} of ${copy + mount + unknown + skip}`;
}

function linkOf({ from, to, bytes, bytesUnknown = 0, requests, cost }: Link): string {
  const more = bytesUnknown === 0 ? '' : ` and up to ${formatBytes(bytesUnknown)} more`;
  const asked = requests === undefined ? '' : `, ${requests} requests`;
  const price = cost === undefined ? '' : `, cost ${cost.toFixed(6)}`;
  return `${from} → ${to}: ${formatBytes(bytes)}${more}${asked}${price}`;
}
