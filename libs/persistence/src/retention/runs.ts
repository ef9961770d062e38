import { type Digest, digestFromBytes, type Tag } from '@waybill/oci-model';
import type { RetentionPolicy } from '@waybill/topology';
import type { StoredAnswer } from '../access/idempotency-keys.js';
import type { Decision } from '../control/decision.js';
import type { Database, Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import type { StoredError } from '../run/stored-error.js';
import { answered, type ClaimedRequest } from './answered.js';
import { insertRun } from './new-run.js';
import { lockDeclaredPolicy } from './policies.js';
import { recordAct } from './retention-record.js';
import { RetentionRefusal } from './retention-refusal.js';

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
   * Ends a run that has removed nothing yet; one that has ended, or is past that, stays as it is.
   * @throws RetentionRefusal `run-unknown`
   */
  async cancel(id: string, decision: Decision): Promise<RetentionRunRow> {
    return this.#database.transaction(async (tables) => {
      const cancelled = await tables.$executeRaw`
        UPDATE retention_run SET state = 'cancelled', finished_at = now(), lease_expires_at = NULL
        WHERE id = ${id}::uuid AND state IN ('planning', 'planned', 'waiting-approval')`;
      const run = await readRun(tables, id);
      if (cancelled > 0) await recordAct(tables, { act: 'run-cancelled', subject: run.policy, ...decision, body: { run: id } });
      return run;
    });
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
    return rows.map(({ repository, state, artifacts, removals, unknown, bytesAtMost, kept, error }) => ({
      repository,
      state: state as RunRepositoryRow['state'],
      ...{ artifacts: Number(artifacts), removals: Number(removals), unknown: Number(unknown), bytesAtMost: Number(bytesAtMost) },
      kept: kept as Record<string, number>,
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
  u.requested_at AS "requestedAt", u.started_at AS "startedAt", u.planned_at AS "plannedAt", u.finished_at AS "finishedAt"`;

type Counted = 'revision' | 'repositories' | 'artifacts' | 'removals' | 'unknown' | 'bytesAtMost';
interface RawRun extends Omit<RetentionRunRow, Counted | 'registry'>, Readonly<Record<Counted, bigint>> {
  readonly registry_id: string;
  readonly registry_name: string;
}
interface RawDecision extends Omit<DecisionRow, 'digest' | 'bytes'> {
  readonly digest: Uint8Array;
  readonly bytes: bigint;
}

function toRun({ registry_id: id, registry_name: name, ...row }: RawRun): RetentionRunRow {
  const { revision, repositories, artifacts, removals, unknown, bytesAtMost } = row;
  return {
    ...row,
    registry: { id, name },
    ...{ revision: Number(revision), repositories: Number(repositories), artifacts: Number(artifacts) },
    ...{ removals: Number(removals), unknown: Number(unknown), bytesAtMost: Number(bytesAtMost) },
  };
}
