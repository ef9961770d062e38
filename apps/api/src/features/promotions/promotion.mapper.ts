import type { Promotion, PromotionList } from '@waybill/contracts/http';
import { type Digest, digestFromBytes, type Tag } from '@waybill/oci-model';
import type { PromotionDetail, PromotionSummaryRow } from '@waybill/persistence';
import { toOpenPause } from '../../http/pause-view.js';
import { helpFor } from './failure-help.js';

type Item = PromotionDetail['items'][number];
type Target = Item['targets'][number];
type TargetTag = Target['tags'][number];
type SummaryView = PromotionList['promotions'][number];
type ItemView = Promotion['items'][number];
type TargetView = ItemView['targets'][number];
type TagView = TargetView['tags'][number];

/** Rows as the API shows them. Columns of words are text in the database, which checks that they are words of these lists. */
export function toPromotion(row: PromotionDetail): Promotion {
  const targets = row.items.flatMap((item) => item.targets);
  return {
    ...factsOf(row),
    // Targets are read after the promotion: ends that came in between belong to the next look.
    settled: row.finishedAt !== null && targets.every(({ state }) => state === 'done'),
    labels: row.labels as Record<string, string>,
    intentHash: digestFromBytes(row.intentHash),
    estimate: row.estimate as unknown as Promotion['estimate'],
    items: row.items.map((item) => toItem(item, row.untaken)),
    ...(row.onBehalfOf === null ? {} : { onBehalfOf: row.onBehalfOf as NonNullable<Promotion['onBehalfOf']> }),
    ...optional('cancellation', toCancellation(row)),
  };
}

/** A tag that is written stays, whatever is cancelled. */
function toCancellation({ cancellation, items }: PromotionDetail): Promotion['cancellation'] {
  if (cancellation === null) return undefined;
  const tagsWritten = items.flatMap((item) =>
    item.targets.flatMap(({ registry, repository, tags }) =>
      tags.flatMap(({ tag, outcome }) => (outcome === 'written' ? [{ registry: registry.name, repository, tag }] : [])),
    ),
  );
  return {
    requestedBy: cancellation.requestedBy,
    requestedAt: cancellation.requestedAt.toISOString(),
    ...optional('reason', cancellation.reason ?? undefined),
    stops: tagsWritten.length === 0 ? 'everything' : 'the-rest',
    tagsWritten,
  };
}

export function toSummary(row: PromotionSummaryRow): SummaryView {
  const [first] = row.items;
  if (first === undefined) throw new Error(`promotion ${row.id} has no item`);
  const { sourceRepository: repository, sourceTag, digest } = first;
  const image = { repository, digest: digestFromBytes(digest), ...optional('tag', (sourceTag ?? undefined) as Tag | undefined) };
  return { ...factsOf(row), image, items: row.items.length };
}

/** What a list says of a promotion as much as its own page. */
function factsOf(row: Omit<PromotionSummaryRow, 'items'>): Omit<SummaryView, 'image' | 'items'> {
  return {
    id: row.id,
    path: row.path,
    revision: Number(row.revision),
    state: row.state as Promotion['state'],
    requestedBy: row.requestedBy,
    requestedAt: row.requestedAt.toISOString(),
    ...(row.externalRef === null ? {} : { externalRef: row.externalRef }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.finishedAt === null ? {} : { finishedAt: row.finishedAt.toISOString() }),
  };
}

function toItem(item: Item, untaken: PromotionDetail['untaken']): ItemView {
  return {
    source: {
      registry: item.sourceRegistry.name,
      repository: item.sourceRepository,
      ...(item.sourceTag === null ? {} : { tag: item.sourceTag as Tag }),
    },
    digest: digestFromBytes(item.digest),
    mediaType: item.mediaType,
    targets: item.targets.map((target) => toTarget(target, untaken)),
    ...(item.sourceMovedAt === null
      ? {}
      : { sourceMoved: { at: item.sourceMovedAt.toISOString(), ...optional('to', digestOrUndefined(item.sourceMovedTo)) } }),
  };
}

function toTarget(target: Target, untaken: PromotionDetail['untaken']): TargetView {
  return {
    id: target.id,
    registry: target.registry.name,
    location: target.location,
    repository: target.repository,
    requirement: target.requirement as TargetView['requirement'],
    state: target.state as TargetView['state'],
    attempts: target.attempts,
    tags: target.tags.map(toTag),
    bytesCopied: Number(target.bytesCopied),
    bytesMounted: Number(target.bytesMounted),
    bytesSkipped: Number(target.bytesSkipped),
    ...optional('outcome', (target.outcome ?? undefined) as TargetView['outcome']),
    ...optional('error', toError(target)),
    ...optional('dueAt', target.dueAt?.toISOString()),
    ...optional('waitingFor', waitingFor(target, untaken.get(target.location))),
    ...optional('startedAt', target.startedAt?.toISOString()),
    ...optional('finishedAt', target.finishedAt?.toISOString()),
  };
}

/** As it was stored, with what to do about it. */
function toError({ error: stored, requirement }: Target): TargetView['error'] {
  if (stored === null) return undefined;
  const error = stored as NonNullable<TargetView['error']>;
  return { ...error, help: helpFor(error.code, { isReplica: requirement === 'best-effort' }) };
}

/** The work of a location is taken as a whole: what is done there waits for nobody. */
function waitingFor({ state, waitingSince, pause, heldSince }: Target, untakenSince: Date | undefined): TargetView['waitingFor'] {
  if (state === 'done') return undefined;
  if (pause !== null && heldSince !== null) return { what: 'pause', since: heldSince.toISOString(), pause: toOpenPause(pause) };
  if (untakenSince !== undefined) return { what: 'worker', since: untakenSince.toISOString() };
  return waitingSince === null ? undefined : { what: 'prod', since: waitingSince.toISOString() };
}

function toTag(tag: TargetTag): TagView {
  return {
    tag: tag.tag as Tag,
    expected: { kind: tag.expected as TagView['expected']['kind'], ...optional('digest', digestOrUndefined(tag.expectedDigest)) },
    ...optional('outcome', (tag.outcome ?? undefined) as TagView['outcome']),
    ...optional('found', digestOrUndefined(tag.foundDigest)),
  };
}

function digestOrUndefined(bytes: Uint8Array | null): Digest | undefined {
  return bytes === null ? undefined : digestFromBytes(bytes);
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): Partial<Record<Key, Value>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Record<Key, Value>>);
}
