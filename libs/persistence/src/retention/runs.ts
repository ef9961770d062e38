import { type Digest, digestFromBytes, type Tag } from '@waybill/oci-model';
import type { RetentionPolicy } from '@waybill/topology';
import type { StoredAnswer } from '../access/idempotency-keys.js';
import type { Decision } from '../control/decision.js';
import type { Database, Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import type { StoredError } from '../run/stored-error.js';
import { notify } from '../notify.js';
import { answered, type ClaimedRequest } from './answered.js';
import { endRun } from './end-run.js';
import { insertRun } from './new-run.js';
import { lockDeclaredPolicy } from './policies.js';
import { recordAct } from './retention-record.js';
import { RetentionRefusal } from './retention-refusal.js';
import { listMarks, type MarkPage, type MarkRow } from './run-marks.js';

export type RetentionRunState =
  'planning' | 'planned' | 'waiting-approval' | 'marking' | 'grace' | 'deleting' | 'succeeded' | 'partial' | 'failed' | 'cancelled';

/** A run as it is kept. Sizes in bytes, hashes hexadecimal. */
export interface RetentionRunRow {
  readonly id: string;
  readonly policy: string;
  readonly registry: { readonly id: string; readonly name: string };
  readonly revision: number;
  readonly hash: string;
  /** In the words it had when the run began. */
  readonly snapshot: RetentionPolicy;
  readonly trigger: 'schedule' | 'manual';
  readonly requestedBy: string | null;
  readonly reason: string | null;
  readonly detail: 'removals' | 'all';
  readonly mode: 'dryRun' | 'enforce';
  readonly state: RetentionRunState;
  readonly planHash: string | null;
  readonly repositories: number;
  readonly artifacts: number;
  readonly removals: number;
  readonly unknown: number;
  readonly bytesAtMost: number;
  /** The limits that the plan goes beyond; null where it goes beyond none, or is not made yet. */
  readonly exceeded: readonly object[] | null;
  /** Who let the plan go beyond them. */
  readonly planApproval: { readonly by: string; readonly at: Date; readonly reason: string } | null;
  /** What has come of the plan, in manifests and in tags that were taken off. */
  readonly deleted: number;
  readonly spared: number;
  readonly failed: number;
  /** When the earliest of its marks is due, of a run in grace. */
  readonly resumeAt: Date | null;
  /** Somebody wants the rest to stay. */
  readonly cancelRequestedAt: Date | null;
  readonly error: StoredError | null;
  readonly requestedAt: Date;
  readonly startedAt: Date | null;
  readonly plannedAt: Date | null;
  readonly finishedAt: Date | null;
}

export interface RunPage {
  readonly policy?: string;
  /** Ids sort by the time they were made: the newest first. */
  readonly before?: string;
  readonly limit: number;
}

/** One repository of a run. */
export interface RunRepositoryRow {
  readonly repository: string;
  readonly state: 'pending' | 'planned' | 'unplanned' | 'marking' | 'grace' | 'deleting' | 'done' | 'failed';
  readonly artifacts: number;
  readonly removals: number;
  readonly unknown: number;
  readonly bytesAtMost: number;
  /** How many manifests are kept, by their first reason. */
  readonly kept: Readonly<Record<string, number>>;
  /** What has come of its plan, in manifests and in tags that were taken off. */
  readonly deleted: number;
  readonly spared: number;
  readonly failed: number;
  readonly error: StoredError | null;
}

export interface DecisionRow {
  readonly repository: string;
  /** Its place in the plan of its repository. */
  readonly position: number;
  readonly digest: Digest;
  /** Empty for the manifest. */
  readonly tag: Tag | '';
  readonly verdict: 'keep' | 'delete' | 'archive' | 'untag';
  readonly archiveTo: readonly string[];
  readonly reasons: readonly object[];
  readonly isUnknown: boolean;
  readonly bytes: number;
}

export interface DecisionPage {
  /** Only those of one repository. */
  readonly repository?: string;
  readonly after?: { readonly repository: string; readonly position: number };
  readonly limit: number;
}

/** Runs of retention: what was planned, and what came of it. */
export class RetentionRuns {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Has a policy run now. One transaction with the answer to the request; undefined, and nothing done, when its claim was taken over.
   * @throws RetentionRefusal `policy-unknown`, `policy-retired`, `run-unfinished` with the id of the run that is under way
   */
  request(
    run: Decision & { readonly id: string; readonly policy: string; readonly isDryRun: boolean; readonly detail: 'removals' | 'all' },
    request: ClaimedRequest<RetentionRunRow>,
  ): Promise<StoredAnswer | undefined> {
    const { id, policy: name, by, reason, isDryRun, detail } = run;
    const why = reason === undefined ? {} : { reason };
    return answered(this.#database, request, async (tables) => {
      const policy = await lockDeclaredPolicy(tables, name, 'run policy');
      if (!(await insertRun(tables, id, policy, { trigger: 'manual', by, ...why, isDryRun, detail }))) throw unfinished(policy);
      await recordAct(tables, { act: 'run-requested', subject: name, by, ...why, body: { run: id } });
      return readRun(tables, id);
    });
  }

  async get(id: string): Promise<RetentionRunRow | undefined> {
    return findRun(this.#database.tables, id);
  }

  async list({ policy, before, limit }: RunPage): Promise<RetentionRunRow[]> {
    const ofPolicy = policy === undefined ? Prisma.sql`true` : Prisma.sql`u.policy = ${policy}`;
    const older = before === undefined ? Prisma.sql`true` : Prisma.sql`u.id < ${before}::uuid`;
    const rows = await this.#database.tables.$queryRaw<RawRun[]>`
      SELECT ${columns} FROM ${joined} WHERE ${ofPolicy} AND ${older} ORDER BY u.id DESC LIMIT ${limit}`;
    return rows.map(toRun);
  }

  /**
   * Ends a run, and spares what it has marked. One that is deleting is only asked to stop: whoever runs it, or takes it over, ends it
   * once what became of the deletion under way is known. One that has ended stays as it is.
   * @throws RetentionRefusal `run-unknown`
   */
  async cancel(id: string, decision: Decision): Promise<RetentionRunRow> {
    return this.#database.transaction(async (tables) => {
      const [open] = await tables.$queryRaw<{ policy: string; isDeleting: boolean; isAsked: boolean }[]>`
        SELECT policy, state = 'deleting' AS "isDeleting", cancel_requested_at IS NOT NULL AS "isAsked"
        FROM retention_run WHERE id = ${id}::uuid AND finished_at IS NULL FOR NO KEY UPDATE`;
      if (open !== undefined && !open.isAsked) {
        await tables.$executeRaw`UPDATE retention_run SET cancel_requested_at = now() WHERE id = ${id}::uuid`;
        await recordAct(tables, { act: 'run-cancelled', subject: open.policy, ...decision, body: { run: id } });
        if (!open.isDeleting) await endRun(tables, id, { state: 'cancelled' });
      }
      return readRun(tables, id);
    });
  }

  /**
   * Lets a plan go beyond the limits of its policy: this very plan, and no other. Said twice it is the same.
   * @throws RetentionRefusal `run-unknown`, `plan-not-waiting`
   */
  async approvePlan(id: string, { by, reason = '' }: Decision): Promise<RetentionRunRow> {
    return this.#database.transaction(async (tables) => {
      const approved = await tables.$executeRaw`
        UPDATE retention_run SET state = 'planned', plan_approved_by = ${by}::uuid, plan_approved_at = now(), plan_approve_reason = ${reason}
        WHERE id = ${id}::uuid AND state = 'waiting-approval'`;
      const run = await readRun(tables, id);
      if (approved === 0) {
        if (run.planApproval !== null) return run;
        const facts = { code: 'plan-not-waiting', operation: 'approve plan' } as const;
        throw new RetentionRefusal(`the plan of this run waits for no approval: the run is ${run.state}`, facts);
      }
      await recordAct(tables, { act: 'plan-approved', subject: run.policy, by, reason, body: { run: id, plan: run.planHash } });
      await notify(tables, 'retention');
      return run;
    });
  }

  /** Manifests that the run marked, in the order of repositories, then of their plans. */
  marks(runId: string, page: MarkPage): Promise<MarkRow[]> {
    return listMarks(this.#database, runId, page);
  }

  /** By name, after the one named. */
  async repositories(
    runId: string,
    { after = '', limit }: { readonly after?: string; readonly limit: number },
  ): Promise<RunRepositoryRow[]> {
    const rows = await this.#database.tables.retentionRunRepository.findMany({
      where: { runId, repository: { gt: after } },
      orderBy: { repository: 'asc' },
      take: limit,
    });
    return rows.map(({ repository, state, artifacts, removals, unknown, bytesAtMost, kept, deleted, spared, failed, error }) => ({
      repository,
      state: state as RunRepositoryRow['state'],
      ...{ artifacts: Number(artifacts), removals: Number(removals), unknown: Number(unknown), bytesAtMost: Number(bytesAtMost) },
      kept: kept as Record<string, number>,
      ...{ deleted: Number(deleted), spared: Number(spared), failed: Number(failed) },
      error: error as StoredError | null,
    }));
  }

  /** In the order of repositories, then of their plans. */
  async decisions(runId: string, { repository, after, limit }: DecisionPage): Promise<DecisionRow[]> {
    const of = repository === undefined ? Prisma.sql`true` : Prisma.sql`repository = ${repository}`;
    const rest =
      after === undefined ? Prisma.sql`true` : Prisma.sql`(repository, position) > (${after.repository}, ${after.position}::integer)`;
    const rows = await this.#database.tables.$queryRaw<RawDecision[]>`
      SELECT repository, position, digest, tag, verdict, archive_to AS "archiveTo", reasons, is_unknown AS "isUnknown", bytes
      FROM retention_decision WHERE run_id = ${runId}::uuid AND ${of} AND ${rest} ORDER BY repository, position LIMIT ${limit}`;
    return rows.map((row) => ({ ...row, digest: digestFromBytes(row.digest), bytes: Number(row.bytes) }));
  }
}

function unfinished({ name, openRun }: { readonly name: string; readonly openRun: string | null }): RetentionRefusal {
  return new RetentionRefusal(`policy ${name} has a run under way${openRun === null ? '' : `: ${openRun}`}`, {
    code: 'run-unfinished',
    operation: 'run policy',
    details: { run: openRun },
  });
}

/** @throws RetentionRefusal `run-unknown` */
async function readRun(tables: Tables, id: string): Promise<RetentionRunRow> {
  const run = await findRun(tables, id);
  if (run === undefined) throw new RetentionRefusal('there is no such run', { code: 'run-unknown', operation: 'read run' });
  return run;
}

async function findRun(tables: Tables, id: string): Promise<RetentionRunRow | undefined> {
  const [row] = await tables.$queryRaw<RawRun[]>`SELECT ${columns} FROM ${joined} WHERE u.id = ${id}::uuid`;
  return row === undefined ? undefined : toRun(row);
}

const joined = Prisma.sql`retention_run u JOIN registry r ON r.id = u.registry_id`;
const columns = Prisma.sql`u.id, u.policy, u.registry_id, r.name AS registry_name, u.revision, encode(u.policy_hash, 'hex') AS hash, u.snapshot,
  u.trigger, u.requested_by AS "requestedBy", u.reason, u.detail, u.mode, u.state, encode(u.plan_hash, 'hex') AS "planHash",
  u.repositories, u.artifacts, u.removals, u.unknown, u.bytes_at_most AS "bytesAtMost", u.exceeded, u.error,
  u.plan_approved_by AS approved_by, u.plan_approved_at AS approved_at, u.plan_approve_reason AS approve_reason,
  u.deleted, u.spared, u.failed, u.resume_at AS "resumeAt", u.cancel_requested_at AS "cancelRequestedAt",
  u.requested_at AS "requestedAt", u.started_at AS "startedAt", u.planned_at AS "plannedAt", u.finished_at AS "finishedAt"`;

type Counted = 'revision' | 'repositories' | 'artifacts' | 'removals' | 'unknown' | 'bytesAtMost' | 'deleted' | 'spared' | 'failed';
interface RawRun extends Omit<RetentionRunRow, Counted | 'registry' | 'planApproval'>, Readonly<Record<Counted, bigint>> {
  readonly registry_id: string;
  readonly registry_name: string;
  readonly approved_by: string | null;
  readonly approved_at: Date | null;
  readonly approve_reason: string | null;
}
interface RawDecision extends Omit<DecisionRow, 'digest' | 'bytes'> {
  readonly digest: Uint8Array;
  readonly bytes: bigint;
}

function toRun({
  registry_id: id,
  registry_name: name,
  approved_by: by,
  approved_at: at,
  approve_reason: why,
  ...row
}: RawRun): RetentionRunRow {
  const { revision, repositories, artifacts, removals, unknown, bytesAtMost, deleted, spared, failed } = row;
  return {
    ...row,
    registry: { id, name },
    planApproval: by === null || at === null ? null : { by, at, reason: why ?? '' },
    ...{ revision: Number(revision), repositories: Number(repositories), artifacts: Number(artifacts) },
    ...{ removals: Number(removals), unknown: Number(unknown), bytesAtMost: Number(bytesAtMost) },
    ...{ deleted: Number(deleted), spared: Number(spared), failed: Number(failed) },
  };
}
