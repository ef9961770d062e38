import { type IdSource, uuidV7, type WaybillError } from '@waybill/kernel';
import { type Digest, digestToBytes, type Manifest, type Tag } from '@waybill/oci-model';
import {
  type ContentOutcome,
  type CopiedBytes,
  type EffectReadBack,
  type ItemRun,
  type ItemTargetState,
  itemTargetTransitions,
  type Outcome,
  type RunJournal,
  statesBefore,
  type TagReadiness,
  type TagResult,
  type TagTurn,
  type TargetEnding,
  type TargetRun,
  type UnsettledEffect,
  type VerifiedContent,
} from '@waybill/promotion';
import type { Database } from '../database.js';
import { Prisma } from '../generated/client.js';
import { type DispatchLease, leaseLost, underLease } from './dispatch-lease.js';
import { endTarget, postponeTarget } from './end-target.js';
import { beginOrHold, holdBack } from './hold-targets.js';
import { beingDeleted, type LostRow, lostSince } from './keep-content.js';
import { contentRows } from './settle-content.js';
import { storedError } from './stored-error.js';
import { rejectPromotion } from './reject-promotion.js';
import { recordSettled, settledEffect, unsettledEffects } from './settle-effects.js';
import { TagLeases } from './tag-leases.js';
import { Turns } from './turns.js';

/**
 * The journal of one run, in PostgreSQL; every method is fenced by the run's lease.
 * Invariant: of one run no more than one connection waits for the promotion's lock, however many of its targets end at once:
 * the lock lets them through one by one anyway, and renewals and other runs need the other connections.
 */
export class PrismaRunJournal implements RunJournal {
  readonly #database: Database;
  readonly #lease: DispatchLease;
  readonly #tags: TagLeases;
  readonly #ids: IdSource;
  readonly #endings = new Turns();
  readonly #begun = new Set<string>();
  /** Where each target's attempt began in the order of events. */
  readonly #since = new Map<string, bigint>();
  /** Ids of the targets that this run began an attempt at; see `DispatchLeases.release`. */
  readonly begun: ReadonlySet<string> = this.#begun;

  /** `tagLeaseMs`: how long a tag may be written, in milliseconds. */
  constructor(database: Database, lease: DispatchLease, options: { readonly tagLeaseMs: number; readonly ids?: IdSource }) {
    this.#database = database;
    this.#lease = lease;
    this.#tags = new TagLeases(database, lease, { leaseMs: options.tagLeaseMs });
    this.#ids = options.ids ?? uuidV7;
  }

  async beginAttempt(targets: readonly TargetRun[]): Promise<ReadonlySet<string>> {
    const { held, counted, begun } = await beginOrHold(this.#database, this.#lease, targets);
    for (const id of counted) this.#begun.add(id);
    for (const { id } of targets) this.#since.set(id, begun);
    return held;
  }

  holdBack(target: TargetRun): Promise<void> {
    return holdBack(this.#database, this.#lease, target);
  }

  async recordCopy(target: TargetRun, content: ContentOutcome, bytes: CopiedBytes): Promise<void> {
    await this.#advance(
      target,
      'verifying',
      Prisma.sql`, content = ${content}, bytes_copied = bytes_copied + ${bytes.bytesCopied},
        bytes_mounted = bytes_mounted + ${bytes.bytesMounted}, bytes_skipped = bytes_skipped + ${bytes.bytesSkipped}`,
    );
  }

  async advance(target: TargetRun, to: 'tagging'): Promise<void> {
    await this.#advance(target, to, Prisma.empty);
  }

  async recordSourceMove(item: ItemRun, found: Digest | undefined): Promise<void> {
    const to = found === undefined ? null : digestToBytes(found);
    const [row] = await this.#database.tables.$queryRaw<{ held: boolean }[]>`
      WITH ${underLease(this.#lease)}, moved AS (
        UPDATE promotion_item SET source_moved_to = ${to}::bytea, source_moved_at = now()
        WHERE id = ${item.id}::uuid AND source_moved_at IS NULL AND EXISTS (SELECT 1 FROM lease)
        RETURNING promotion_id, digest, source_repository, source_tag
      ), recorded AS (
      INSERT INTO provenance_record (kind, promotion_id, subject, body)
      SELECT 'decision', promotion_id, digest, jsonb_strip_nulls(jsonb_build_object(
        'decision', 'source-tag-moved', 'repository', source_repository, 'tag', source_tag, 'to', ${found ?? null}::text,
        'meaning', 'the digest pinned at request is what was promoted'))
      FROM moved
      )
      SELECT EXISTS (SELECT 1 FROM lease) AS held`;
    if (row?.held !== true) throw leaseLost(this.#lease);
  }

  async intendManifest(target: TargetRun, manifest: Manifest): Promise<void> {
    const [row] = await this.#database.tables.$queryRaw<{ held: boolean }[]>`
      WITH ${underLease(this.#lease)}, intended AS (
        INSERT INTO effect (id, promotion_id, item_target_id, kind, registry_id, repository, digest, state)
        SELECT ${this.#ids.next()}::uuid, promotion_id, id, 'manifest', registry_id, repository, ${digestToBytes(manifest.digest)}, 'intended'
        FROM item_target WHERE id = ${target.id}::uuid AND EXISTS (SELECT 1 FROM lease)
        ON CONFLICT (item_target_id, kind, digest, tag) WHERE outcome IS DISTINCT FROM 'not-written' DO NOTHING
      )
      SELECT EXISTS (SELECT 1 FROM lease) AS held`;
    if (row?.held !== true) throw leaseLost(this.#lease);
  }

  async settleContent(target: TargetRun, content: VerifiedContent): Promise<void> {
    const rows = contentRows(content);
    const manifests = content.manifests.map(({ descriptor }) => digestToBytes(descriptor.digest));
    const begun = this.#since.get(target.id);
    if (begun === undefined) throw new Error(`no attempt at target ${target.id} was begun here`);
    const [row] = await this.#database.tables.$queryRaw<SettledRow[]>`
        WITH ${underLease(this.#lease)}, ${lostSince({ targetId: target.id, digests: manifests, begun })},
        allowed AS (SELECT 1 FROM lease WHERE NOT EXISTS (SELECT 1 FROM lost)),
        known AS (
          INSERT INTO content (digest, media_type, size)
          SELECT * FROM unnest(${rows.digests}::bytea[], ${rows.mediaTypes}::text[], ${rows.sizes}::bigint[]) WHERE EXISTS (SELECT 1 FROM allowed)
          ON CONFLICT DO NOTHING
        ), edges AS (
          INSERT INTO content_edge (parent, child, kind)
          SELECT * FROM unnest(${rows.parents}::bytea[], ${rows.children}::bytea[], ${rows.kinds}::text[]) WHERE EXISTS (SELECT 1 FROM allowed)
          ON CONFLICT DO NOTHING
        ), placed AS (
          INSERT INTO placement (registry_id, repository, digest, seen_by)
          SELECT t.registry_id, t.repository, d.digest, t.id
          FROM item_target t, unnest(${rows.digests}::bytea[]) AS d (digest) WHERE t.id = ${target.id}::uuid AND EXISTS (SELECT 1 FROM allowed)
          ON CONFLICT (registry_id, repository, digest) WHERE seen_until IS NULL DO UPDATE SET epoch = excluded.epoch
            WHERE placement.epoch < excluded.epoch
        ), settled AS (
          UPDATE effect e SET state = 'settled', outcome = 'written', observed_digest = digest, settled_at = now()
          WHERE item_target_id = ${target.id}::uuid AND kind = 'manifest' AND state = 'intended' AND digest = ANY(${manifests}::bytea[])
            AND EXISTS (SELECT 1 FROM allowed)
          RETURNING ${settledEffect}
        ), ${recordSettled}, advanced AS (
          UPDATE item_target SET state = 'attesting'
          WHERE id = ${target.id}::uuid AND state = ANY(${statesBefore(itemTargetTransitions, 'attesting')}::text[]) AND EXISTS (SELECT 1 FROM allowed)
          RETURNING 1
        )
        SELECT EXISTS (SELECT 1 FROM advanced) AS advanced, lost.registry, lost.repository, lost.digest FROM (SELECT) one LEFT JOIN lost ON true`;
    if (row === undefined) throw new Error('the statement gave no row');
    if (row.registry !== null) throw beingDeleted({ ...row, tag: '' });
    if (!row.advanced) throw leaseLost(this.#lease);
  }

  async readinessToTag(target: TargetRun): Promise<TagReadiness> {
    if (target.follows === undefined) return { ready: true };
    const [followed] = await this.#database.tables.$queryRaw<{ registry: string; outcome: Outcome | null }[]>`
      WITH ${underLease(this.#lease)}, followed AS (
        SELECT r.name, f.outcome FROM item_target f JOIN registry r ON r.id = f.registry_id
        WHERE f.id = ${target.follows}::uuid AND EXISTS (SELECT 1 FROM lease)
      ), waiting AS (
        UPDATE item_target SET waiting_since = now() WHERE id = ${target.id}::uuid AND EXISTS (SELECT 1 FROM followed WHERE outcome IS NULL)
      )
      SELECT name AS registry, outcome FROM followed`;
    if (followed === undefined) throw leaseLost(this.#lease);
    return readiness(followed.registry, followed.outcome);
  }

  acquireTag(target: TargetRun, tag: Tag): Promise<TagTurn> {
    return this.#tags.acquire(target, tag);
  }

  async adoptExpected(target: TargetRun, tag: Tag, seen: Digest | undefined): Promise<void> {
    const digest = seen === undefined ? null : digestToBytes(seen);
    await this.#fenced(
      Prisma.sql`
        UPDATE item_target_tag SET expected = ${seen === undefined ? 'absent' : 'digest'}, expected_digest = ${digest}::bytea,
          expected_order = nextval('order_of_events')
        WHERE item_target_id = ${target.id}::uuid AND tag = ${tag} AND EXISTS (SELECT 1 FROM lease)`,
      1,
    );
  }

  intendTag(target: TargetRun, tag: Tag, digest: Digest, previous: Digest | undefined): Promise<void> {
    return this.#tags.intend({ target, tag, digest }, this.#ids.next(), previous);
  }

  releaseTag(target: TargetRun, tag: Tag): Promise<void> {
    return this.#tags.release(target, tag);
  }

  settleTag(target: TargetRun, tag: Tag, digest: Digest, result: TagResult): Promise<void> {
    return this.#tags.settle({ target, tag, digest }, result);
  }

  unsettledEffects(target: TargetRun): Promise<UnsettledEffect[]> {
    return unsettledEffects(this.#database, this.#lease, target);
  }

  finish(target: TargetRun, ending: TargetEnding): Promise<void> {
    return this.#endings.take(() => endTarget(this.#database, this.#lease, target, ending));
  }

  retryLater(target: TargetRun, error: WaybillError, delayMs: number, bytes: CopiedBytes): Promise<void> {
    return postponeTarget(this.#database, this.#lease, target, { error: storedError(error), delayMs, bytes });
  }

  reject(reason: WaybillError, readBack: readonly EffectReadBack[]): Promise<boolean> {
    return this.#endings.take(() => rejectPromotion(this.#database, this.#lease, { reason, readBack }));
  }

  #advance(target: TargetRun, to: ItemTargetState, more: Prisma.Sql): Promise<void> {
    return this.#fenced(
      Prisma.sql`
        UPDATE item_target SET state = ${to} ${more}
        WHERE id = ${target.id}::uuid AND state = ANY(${statesBefore(itemTargetTransitions, to)}::text[]) AND EXISTS (SELECT 1 FROM lease)`,
      1,
    );
  }

  /** Runs a statement that sees the lease, and rejects when it did not change `expected` rows. */
  async #fenced(statement: Prisma.Sql, expected: number): Promise<void> {
    const count = await this.#database.tables.$executeRaw(Prisma.sql`WITH ${underLease(this.#lease)} ${statement}`);
    if (count !== expected) throw leaseLost(this.#lease);
  }
}

/** What became of a target's content: it is settled, or some of it is lost. */
type SettledRow = { readonly advanced: boolean } & (Omit<LostRow, 'tag'> | { readonly registry: null });

function readiness(prod: string, outcome: Outcome | null): TagReadiness {
  switch (outcome) {
    case null:
      return { ready: false, wait: true };
    case 'copied':
    case 'mounted':
    case 'already-present':
      return { ready: true };
    case 'superseded':
    case 'cancelled':
      return { ready: false, wait: false, outcome, reason: `${prod}, which this replica follows, ended ${outcome}` };
    case 'failed':
    case 'conflict':
      return {
        ready: false,
        wait: false,
        outcome: 'failed',
        reason: `${prod}, which this replica follows, ended in ${outcome}: a replica is never ahead of its prod`,
      };
  }
}
