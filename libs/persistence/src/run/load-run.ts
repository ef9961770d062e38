import { digestFromBytes, type RepositoryName, type Tag } from '@waybill/oci-model';
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
import { isImmutableTag, type Topology } from '@waybill/topology';
import type { Database } from '../database.js';

/** What a worker needs to run a promotion at a location. */
export interface LoadedRun {
  /** The topology that the promotion is pinned to. */
  readonly topology: Topology;
  readonly run: LocationRun;
}

/** The unfinished item-targets at the location whose time has come, with everything they need. */
export async function loadRun(database: Database, promotionId: string, location: string): Promise<LoadedRun | undefined> {
  const promotion = await database.tables.promotion.findUnique({
    where: { id: promotionId },
    include: {
      topologyRevision: { select: { document: true } },
      items: {
        orderBy: { position: 'asc' },
        include: {
          sourceRegistry: { select: { name: true } },
          targets: {
            where: { location, state: { not: 'done' } },
            include: { registry: { select: { name: true } }, tags: { orderBy: { tag: 'asc' } } },
          },
        },
      },
    },
  });
  if (promotion === null) return undefined;
  const topology = promotion.topologyRevision.document as unknown as Topology;
  const due = new Set(await dueTargets(database, promotionId, location));
  const items = promotion.items.map((item): ItemRun => ({
    id: item.id,
    source: {
      registry: item.sourceRegistry.name,
      repository: item.sourceRepository as RepositoryName,
      ...(item.sourceTag === null ? {} : { tag: item.sourceTag as Tag }),
    },
    digest: digestFromBytes(item.digest),
    targets: item.targets.filter(({ id }) => due.has(id)).map((target) => toTarget(topology, target)),
  }));
  return { topology, run: { promotionId, location, items: items.filter(({ targets }) => targets.length > 0) } };
}

/** By the database's clock. */
async function dueTargets(database: Database, promotionId: string, location: string): Promise<string[]> {
  const rows = await database.tables.$queryRaw<{ id: string }[]>`
    SELECT id FROM item_target
    WHERE promotion_id = ${promotionId}::uuid AND location = ${location} AND state <> 'done' AND (due_at IS NULL OR due_at <= now())`;
  return rows.map(({ id }) => id);
}

interface TargetRow {
  readonly id: string;
  readonly repository: string;
  readonly requirement: string;
  readonly state: string;
  readonly attempts: number;
  readonly content: string | null;
  readonly follows: string | null;
  readonly registry: { readonly name: string };
  readonly tags: readonly { readonly tag: string; readonly expected: string; readonly expectedDigest: Uint8Array | null }[];
}

function toTarget(topology: Topology, row: TargetRow): TargetRun {
  return {
    id: row.id,
    registry: row.registry.name,
    repository: row.repository as RepositoryName,
    requirement: row.requirement as Requirement,
    state: row.state as ItemTargetState,
    attempts: row.attempts,
    ...(row.content === null ? {} : { content: row.content as ContentOutcome }),
    ...(row.follows === null ? {} : { follows: row.follows }),
    tags: row.tags.map((tag): TagRun => ({
      tag: tag.tag as Tag,
      expected: toExpected(tag),
      immutable: isImmutableTag(topology, row.registry.name, tag.tag),
    })),
  };
}

function toExpected(row: { readonly expected: string; readonly expectedDigest: Uint8Array | null }): ExpectedDigest {
  if (row.expectedDigest !== null) return { kind: 'digest', digest: digestFromBytes(row.expectedDigest) };
  return { kind: row.expected === 'absent' ? 'absent' : 'unknown' };
}
