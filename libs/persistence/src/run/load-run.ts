import { type Digest, digestFromBytes, type RepositoryName, type Tag } from '@waybill/oci-model';
import type {
  ContentOutcome,
  ExpectedDigest,
  ItemRun,
  ItemTargetState,
  LocationRun,
  Requirement,
  TagRun,
  TargetRun,
} from '@waybill/promotion';
import { isImmutableTag, type Registry, type Topology } from '@waybill/topology';
import type { Database } from '../database.js';

/** What a worker needs to run a promotion at a location. */
export interface LoadedRun {
  /**
   * The topology that the promotion is pinned to; registries that are still the same ones are
   * reached as the active topology declares them: addresses of proxies and names of secrets change.
   */
  readonly topology: Topology;
  /** Where the run's local registries listen now, by name. */
  readonly addresses: ReadonlyMap<string, string>;
  readonly run: LocationRun;
  /** Somebody asked that it be stopped: what is left is to be ended, whether it is due or not. */
  readonly isCancelled: boolean;
}

interface PromotionRow {
  readonly path: string;
  readonly pinned: Topology;
  readonly active: Topology;
  /** Registries that are the same ones since the pinned revision. */
  readonly kept: readonly string[];
  readonly is_path_removed: boolean;
  readonly is_cancelled: boolean;
}

interface TargetRow {
  readonly id: string;
  readonly item_id: string;
  readonly repository: string;
  readonly requirement: Requirement;
  readonly state: ItemTargetState;
  readonly attempts: number;
  readonly content: ContentOutcome | null;
  readonly follows: string | null;
  readonly is_waiting: boolean;
  readonly registry: string;
  readonly address: string | null;
  readonly is_replaced: boolean;
  readonly item_digest: Uint8Array;
  readonly source: string;
  readonly source_address: string | null;
  readonly is_source_replaced: boolean;
  readonly source_repository: string;
  readonly source_tag: string | null;
  readonly tags: readonly TagRow[];
}

interface TagRow {
  readonly tag: Tag;
  readonly expected: ExpectedDigest['kind'];
  readonly digest: Digest | null;
}

/**
 * The unfinished item-targets at the location whose time has come by the database's clock, with everything they need;
 * all unfinished ones of a promotion that was cancelled.
 */
export async function loadRun(database: Database, promotionId: string, location: string): Promise<LoadedRun | undefined> {
  const promotion = await readPromotion(database, promotionId);
  if (promotion === undefined) return undefined;
  const topologies = { pinned: promotion.pinned, current: withCurrentRegistries(promotion) };
  const rows = await readTargets(database, { promotionId, location, isCancelled: promotion.is_cancelled });
  return {
    topology: topologies.current,
    addresses: new Map(rows.flatMap(addressesOf)),
    isCancelled: promotion.is_cancelled,
    run: { promotionId, location, ...(promotion.is_path_removed ? { removedPath: promotion.path } : {}), items: toItems(topologies, rows) },
  };
}

async function readPromotion(database: Database, promotionId: string): Promise<PromotionRow | undefined> {
  const [row] = await database.tables.$queryRaw<PromotionRow[]>`
    SELECT p.path, pinned.document AS pinned, active.document AS active,
      ARRAY(SELECT name FROM registry WHERE replaced_at IS NULL AND first_revision <= p.revision) AS kept,
      active.document -> 'paths' -> p.path IS NULL AS is_path_removed,
      EXISTS (SELECT 1 FROM promotion_cancellation c WHERE c.promotion_id = p.id) AS is_cancelled
    FROM promotion p JOIN topology_revision pinned ON pinned.number = p.revision
      CROSS JOIN LATERAL (SELECT document FROM topology_revision ORDER BY number DESC LIMIT 1) active
    WHERE p.id = ${promotionId}::uuid`;
  return row;
}

function withCurrentRegistries({ pinned, active, kept }: PromotionRow): Topology {
  const current = kept.flatMap((name): [string, Registry][] => {
    const registry = active.registries[name];
    return registry === undefined ? [] : [[name, registry]];
  });
  return { ...pinned, registries: { ...pinned.registries, ...Object.fromEntries(current) } };
}

interface WantedTargets {
  readonly promotionId: string;
  readonly location: string;
  readonly isCancelled: boolean;
}

function readTargets(database: Database, { promotionId, location, isCancelled }: WantedTargets): Promise<TargetRow[]> {
  return database.tables.$queryRaw<TargetRow[]>`
    SELECT t.id, t.item_id, t.repository, t.requirement, t.state, t.attempts, t.content, t.follows,
           t.waiting_since IS NOT NULL AS is_waiting,
           r.name AS registry, r.address, r.replaced_at IS NOT NULL AS is_replaced,
           i.digest AS item_digest, i.source_repository, i.source_tag,
           s.name AS source, s.address AS source_address, s.replaced_at IS NOT NULL AS is_source_replaced,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('tag', g.tag, 'expected', g.expected, 'digest', digest_text(g.expected_digest)) ORDER BY g.tag), '[]')
            FROM item_target_tag g WHERE g.item_target_id = t.id) AS tags
    FROM item_target t
      JOIN registry r ON r.id = t.registry_id
      JOIN promotion_item i ON i.id = t.item_id
      JOIN registry s ON s.id = i.source_registry_id
    WHERE t.promotion_id = ${promotionId}::uuid AND t.location = ${location} AND t.state <> 'done'
      AND (t.due_at IS NULL OR t.due_at <= now() OR ${isCancelled})
    ORDER BY i.position, t.id`;
}

function addressesOf(row: TargetRow): [string, string][] {
  return [
    ...(row.address === null ? [] : [[row.registry, row.address] as [string, string]]),
    ...(row.source_address === null ? [] : [[row.source, row.source_address] as [string, string]]),
  ];
}

/** A tag is immutable when either says so: a rule made since protects from runs under way too. */
interface Topologies {
  readonly pinned: Topology;
  readonly current: Topology;
}

/** The rows are in the order of items. */
function toItems(topologies: Topologies, rows: readonly TargetRow[]): ItemRun[] {
  const items = new Map<string, TargetRow[]>();
  for (const row of rows) items.set(row.item_id, [...(items.get(row.item_id) ?? []), row]);
  return [...items].flatMap(([id, [first, ...others]]) => (first === undefined ? [] : [toItem(topologies, id, [first, ...others])]));
}

function toItem(topologies: Topologies, id: string, rows: readonly [TargetRow, ...TargetRow[]]): ItemRun {
  const [{ source, source_repository: repository, source_tag: tag, item_digest: digest, is_source_replaced: isSourceReplaced }] = rows;
  return {
    id,
    source: { registry: source, repository: repository as RepositoryName, ...(tag === null ? {} : { tag: tag as Tag }) },
    isSourceReplaced,
    digest: digestFromBytes(digest),
    targets: rows.map((row) => toTarget(topologies, row)),
  };
}

function toTarget({ pinned, current }: Topologies, row: TargetRow): TargetRun {
  const { id, registry, requirement, state, attempts } = row;
  return {
    id,
    registry,
    isReplaced: row.is_replaced,
    repository: row.repository as RepositoryName,
    requirement,
    state,
    attempts,
    isWaiting: row.is_waiting,
    ...(row.content === null ? {} : { content: row.content }),
    ...(row.follows === null ? {} : { follows: row.follows }),
    tags: row.tags.map((tag): TagRun => ({
      tag: tag.tag,
      expected: toExpected(tag),
      immutable: isImmutableTag(pinned, registry, tag.tag) || isImmutableTag(current, registry, tag.tag),
    })),
  };
}

function toExpected({ expected, digest }: TagRow): ExpectedDigest {
  if (digest !== null) return { kind: 'digest', digest };
  return { kind: expected === 'absent' ? 'absent' : 'unknown' };
}
