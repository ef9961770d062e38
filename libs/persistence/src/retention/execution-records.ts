import type { IdSource } from '@waybill/kernel';
import { type Digest, digestFromBytes, digestToBytes, type Manifest, type Tag } from '@waybill/oci-model';
import type { Database, Tables } from '../database.js';
import { storableJson } from '../registry-checks/storable-json.js';
import { closePlace, noteTagsGone } from './close-place.js';
import {
  type DeletionOutcome,
  type DeletionPlace,
  intendDeletion,
  type SettledDeletion,
  settleEffect,
  type SparedReason,
} from './deletion-effects.js';
import { lockForDeletion, neededByPromotions } from './deletion-lock.js';
import { keptMeanwhile } from './kept-meanwhile.js';
import { type LeasedRun, underRunLease } from './leased-run.js';
import { insertMarks, type MarkedManifest, type NewMark } from './mark-manifests.js';
import { requireMayAct } from './may-act.js';
import { intendRestore, type LostPush, pushesSince, settleRestore, tagsMissedSince } from './restore-pushes.js';
import type { RetentionLease } from './run-leases.js';
import { intendWrites, settleWrites } from './run-writes.js';
import { tagMeanwhile } from './tags-meanwhile.js';
import { type MissedTag, tagTaken, type TakenAway } from './tags-taken.js';
import { beginTrashPeriod } from './trash-period.js';
import { untagWaitsFor } from './untag-conflict.js';

/** A decision of the stored plan that something goes. */
export interface CondemnedRow {
  /** Its place in the plan, in which order it is executed. */
  readonly position: number;
  readonly digest: Digest;
  /** Empty for the manifest. */
  readonly tag: Tag | '';
  readonly verdict: 'delete' | 'archive' | 'untag';
  readonly archiveTo: readonly string[];
  /** Codes of the plan's reasons. */
  readonly reasons: readonly string[];
  /** Whether the inventory has its bytes: it can be marked without them. */
  readonly isRead: boolean;
}

/** One deletion at the registry: of a manifest, or of a tag that leaves its manifest. */
export interface DeletionTarget {
  readonly digest: Digest;
  /** Empty for the manifest. */
  readonly tag: Tag | '';
}

/** A deletion that was intended and of which nobody wrote down what came of it. */
export interface OpenDeletion extends DeletionTarget {
  readonly effectId: string;
}

/** `done`: an attempt before this one deleted it. */
export type Begun = 'spared' | 'done' | { readonly effectId: string };

export interface ExecutionRecordsOptions {
  readonly database: Database;
  readonly lease: RetentionLease;
  readonly repository: string;
  readonly ids: IdSource;
}

/**
 * What a run writes down of one repository, under its lease; said twice each is the same. Every method but the reading ones rejects
 * with ExecutionStop `lease-lost` when the lease is lost, and writes nothing then.
 */
export class ExecutionRecordsStore {
  readonly #database: Database;
  readonly #lease: RetentionLease;
  readonly #repository: string;
  readonly #ids: IdSource;

  constructor({ database, lease, repository, ids }: ExecutionRecordsOptions) {
    this.#database = database;
    this.#lease = lease;
    this.#repository = repository;
    this.#ids = ids;
  }

  /** In the order of the plan, after a position. */
  async condemned({ after, limit }: { readonly after: number; readonly limit: number }): Promise<CondemnedRow[]> {
    const rows = await this.#database.tables.$queryRaw<(Omit<CondemnedRow, 'digest'> & { readonly digest: Uint8Array })[]>`
      SELECT d.position, d.digest, d.tag, d.verdict, d.archive_to AS "archiveTo",
        (SELECT coalesce(jsonb_agg(reason ->> 'code'), '[]') FROM jsonb_array_elements(d.reasons) AS reason) AS reasons,
        EXISTS (SELECT FROM manifest m WHERE m.digest = d.digest) AS "isRead"
      FROM retention_decision d
      WHERE d.run_id = ${this.#lease.runId}::uuid AND d.repository = ${this.#repository} AND d.position > ${after} AND d.verdict <> 'keep'
      ORDER BY d.position LIMIT ${limit}`;
    return rows.map((row) => ({ ...row, digest: digestFromBytes(row.digest) }));
  }

  /**
   * Marks manifests that the stored plan condemns, and no others. Spared at once is what a promotion under way needs, what another
   * run has marked, and what nobody has the bytes of.
   */
  async mark(marks: readonly NewMark[]): Promise<void> {
    if (marks.length === 0) return;
    await this.#underLease(async (tables, run) => {
      await requireMayAct(tables, run.id);
      await lockForDeletion(tables, run.registryId);
      await insertMarks(tables, this.#placeOf(run), marks);
    });
  }

  /** Everything that was marked, in the order of the plan. */
  async marks(): Promise<MarkedManifest[]> {
    const rows = await this.#database.tables.$queryRaw<{ digest: Uint8Array; state: MarkedManifest['state'] }[]>`
      SELECT digest, state FROM retention_mark WHERE run_id = ${this.#lease.runId}::uuid AND repository = ${this.#repository} ORDER BY position`;
    return rows.map(({ digest, state }) => ({ digest: digestFromBytes(digest), state }));
  }

  /** The bytes that were kept when it was marked. */
  async manifestOf(digest: Digest): Promise<Manifest | undefined> {
    const [row] = await this.#database.tables.$queryRaw<{ bytes: Uint8Array; mediaType: string }[]>`
      SELECT manifest AS bytes, media_type AS "mediaType" FROM retention_mark
      WHERE run_id = ${this.#lease.runId}::uuid AND repository = ${this.#repository} AND digest = ${digestToBytes(digest)} AND octet_length(manifest) > 0`;
    return row === undefined ? undefined : { digest, ...row };
  }

  /** Keeps what was marked. Where its deletion was intended, it was read back and is there. */
  async spare(digest: Digest, reason: SparedReason): Promise<void> {
    await this.#underLease((tables, run) => this.#spare(tables, run, { digest, tag: '' }, reason));
  }

  /**
   * Intends a deletion, or gives the intention that is open. Spared, and written down, is what a promotion needs by now, what somebody
   * holds, uses or was seen to tag since, and a tag that a promotion is about to write.
   * @throws ExecutionStop when the run may no longer delete
   */
  async begin(target: DeletionTarget): Promise<Begun> {
    return this.#underLease(async (tables, run) => {
      await requireMayAct(tables, run.id);
      await lockForDeletion(tables, run.registryId);
      if (target.tag === '') {
        const state = await this.#lockMark(tables, target.digest);
        if (state === 'deleted' || state === 'restored') return 'done';
        if (state !== 'marked' && state !== 'deleting') return 'spared';
      }
      const reason = await this.#neededBy(tables, run, target);
      if (reason !== undefined) {
        await this.#spare(tables, run, target, reason);
        return 'spared';
      }
      const effectId = await intendDeletion(tables, this.#placeOf(run), { effectId: this.#ids.next(), ...target });
      if (effectId === undefined) return 'done';
      if (target.tag === '') await this.#moveMark(tables, target.digest);
      return { effectId };
    });
  }

  /** Settles a deletion from what was found: its effect and record, its mark, and what the inventory says. */
  async settle(effectId: string, found: DeletionOutcome): Promise<void> {
    await this.#underLease(async (tables, run) => {
      const settled = await settleEffect(tables, run.id, effectId, found);
      if (settled === undefined) return;
      if (settled.tag === '') {
        await this.#settleMark(tables, settled.digest, found);
        if (found.outcome !== 'there') await beginTrashPeriod(tables, this.#placeOf(run), settled.digest);
      }
      if (found.outcome === 'gone') await this.#forget(tables, run, { effectId, settled, tagsGone: found.tagsGone });
    });
  }

  /** Oldest first. */
  async unsettled(): Promise<OpenDeletion[]> {
    const rows = await this.#database.tables.$queryRaw<{ id: string; digest: Uint8Array; tag: Tag | '' }[]>`
      SELECT e.id, e.digest, e.tag FROM effect e JOIN retention_run u ON u.id = e.retention_run_id AND u.registry_id = e.registry_id
      WHERE e.retention_run_id = ${this.#lease.runId}::uuid AND e.repository = ${this.#repository} AND e.kind = 'deletion' AND e.state = 'intended'
      ORDER BY e.intended_at, e.id`;
    return rows.map(({ id, digest, tag }) => ({ effectId: id, digest: digestFromBytes(digest), tag }));
  }

  /**
   * Asks whether the run may still delete, before something is copied for it.
   * @throws ExecutionStop why it may not
   */
  requireMayAct(): Promise<void> {
    return requireMayAct(this.#database.tables, this.#lease.runId);
  }

  /** Of tags that name nothing since the run deleted something: those that the registry told of, and those that looks at the repository miss. */
  async pushedMeanwhile(): Promise<LostPush[]> {
    const { tables } = this.#database;
    const { runId } = this.#lease;
    return [...(await pushesSince(tables, runId, this.#repository)), ...(await tagsMissedSince(tables, runId, this.#repository))];
  }

  /** Whether somebody took a tag away that was missed, since the repository was read again; undefined where nobody is known to have. */
  takenAway(missed: MissedTag): Promise<TakenAway | undefined> {
    return tagTaken(this.#database.tables, { runId: this.#lease.runId, repository: this.#repository }, missed);
  }

  /** Write-ahead: it is about to be pushed again, with these tags; of what is there the tags alone. */
  async restoring(digest: Digest, tags: readonly Tag[]): Promise<void> {
    await this.#underLease((tables, run) => intendRestore(tables, this.#placeOf(run), { digest, tags, ids: this.#ids }));
  }

  /** It is back, with these tags. */
  async restored(digest: Digest, tags: readonly Tag[]): Promise<void> {
    await this.#underLease((tables, run) => settleRestore(tables, this.#placeOf(run), { digest, tags, ids: this.#ids }));
  }

  /** Write-ahead: it is about to be copied to another registry, into the same repository, with these tags. */
  async archiving(registryId: string, digest: Digest, tags: readonly Tag[]): Promise<void> {
    await this.#underLease((tables, run) => intendWrites(tables, { ...this.#placeOf(run), registryId }, { digest, tags, ids: this.#ids }));
  }

  /** The other registry holds it, with these tags: it was read back there. */
  async archived(registryId: string, digest: Digest, tags: readonly Tag[]): Promise<void> {
    const reason = 'it is kept here, and deleted where it was';
    await this.#underLease((tables, run) =>
      settleWrites(tables, { ...this.#placeOf(run), registryId }, { digest, tags, ids: this.#ids, reason }),
    );
  }

  #underLease<Done>(work: (tables: Tables, run: LeasedRun) => Promise<Done>): Promise<Done> {
    return underRunLease(this.#database, this.#lease, work);
  }

  async #neededBy(tables: Tables, run: LeasedRun, { digest, tag }: DeletionTarget): Promise<SparedReason | undefined> {
    const place = this.#placeOf(run);
    const promotion = (await neededByPromotions(tables, run.registryId, [digest])).get(digest);
    const waitsFor = promotion ?? (tag === '' ? undefined : await untagWaitsFor(tables, place, tag));
    if (waitsFor !== undefined) return { code: 'promotion-running', message: `promotion ${waitsFor} needs it` };
    const named = tag === '' ? await tagMeanwhile(tables, place, digest) : undefined;
    if (named !== undefined) return { code: 'tag-kept', message: `the tag ${named} was written on it meanwhile` };
    return keptMeanwhile(tables, place, { digest, tag });
  }

  #placeOf({ id, registryId }: LeasedRun): DeletionPlace {
    return { runId: id, registryId, repository: this.#repository };
  }

  async #lockMark(tables: Tables, digest: Digest): Promise<MarkedManifest['state'] | undefined> {
    const [mark] = await tables.$queryRaw<{ state: MarkedManifest['state'] }[]>`
      SELECT state FROM retention_mark
      WHERE run_id = ${this.#lease.runId}::uuid AND repository = ${this.#repository} AND digest = ${digestToBytes(digest)} FOR UPDATE`;
    return mark?.state;
  }

  async #moveMark(tables: Tables, digest: Digest): Promise<void> {
    await tables.$executeRaw`
      UPDATE retention_mark SET state = 'deleting'
      WHERE run_id = ${this.#lease.runId}::uuid AND repository = ${this.#repository} AND digest = ${digestToBytes(digest)} AND state = 'marked'`;
  }

  async #spare(tables: Tables, run: LeasedRun, target: DeletionTarget, reason: SparedReason): Promise<void> {
    const effectId = target.tag === '' ? await this.#spareMark(tables, run, target, reason) : await this.#spareTag(tables, run, target);
    if (effectId !== undefined) await settleEffect(tables, run.id, effectId, { outcome: 'there', reason });
  }

  /** Gives the effect that stood open. */
  async #spareMark(tables: Tables, run: LeasedRun, target: DeletionTarget, reason: SparedReason): Promise<string | undefined> {
    await tables.$executeRaw`
      UPDATE retention_mark SET state = 'spared', settled_at = now(), error = ${storableJson({ ...reason })}::jsonb
      WHERE run_id = ${run.id}::uuid AND repository = ${this.#repository} AND digest = ${digestToBytes(target.digest)} AND settled_at IS NULL`;
    return this.#effect(tables, run, target, 'intended');
  }

  /** A tag has no mark: that it was spared is said, once, by an effect that did not happen. */
  async #spareTag(tables: Tables, run: LeasedRun, target: DeletionTarget): Promise<string | undefined> {
    const open = await this.#effect(tables, run, target, 'intended');
    if (open !== undefined || (await this.#effect(tables, run, target, 'settled')) !== undefined) return open;
    return intendDeletion(tables, this.#placeOf(run), { effectId: this.#ids.next(), ...target });
  }

  async #effect(
    tables: Tables,
    { id, registryId }: LeasedRun,
    { digest, tag }: DeletionTarget,
    state: 'intended' | 'settled',
  ): Promise<string | undefined> {
    const [row] = await tables.$queryRaw<{ id: string }[]>`
      SELECT id FROM effect WHERE retention_run_id = ${id}::uuid AND registry_id = ${registryId}::uuid AND repository = ${this.#repository}
        AND kind = 'deletion' AND digest = ${digestToBytes(digest)} AND tag = ${tag} AND state = ${state} LIMIT 1`;
    return row?.id;
  }

  async #settleMark(tables: Tables, digest: Uint8Array, found: DeletionOutcome): Promise<void> {
    const isGone = found.outcome === 'gone';
    const error = isGone ? null : storableJson({ code: found.reason.code, message: found.reason.message });
    await tables.$executeRaw`
      UPDATE retention_mark SET state = CASE WHEN ${isGone} THEN 'deleted' ELSE 'failed' END, settled_at = now(), error = ${error}::jsonb,
        deleted_order = CASE WHEN ${isGone} THEN nextval('order_of_events') END
      WHERE run_id = ${this.#lease.runId}::uuid AND repository = ${this.#repository} AND digest = ${digest}::bytea AND settled_at IS NULL`;
  }

  async #forget(
    tables: Tables,
    run: LeasedRun,
    gone: { readonly effectId: string; readonly settled: SettledDeletion; readonly tagsGone: readonly Tag[] },
  ): Promise<void> {
    const { effectId, settled, tagsGone } = gone;
    const { digest, tag } = settled;
    const place = this.#placeOf(run);
    if (tag === '') await closePlace(tables, place, digest);
    await noteTagsGone(tables, place, { effectId, digest, tags: tag === '' ? tagsGone : [tag] });
  }
}
