import type { RetentionPolicy } from '@waybill/topology';
import type { Decision } from '../control/decision.js';
import type { Database, Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { notify } from '../notify.js';
import { RetentionRefusal } from './retention-refusal.js';
import { recordAct } from './retention-record.js';

/** A policy as the topology declared it last, and when it runs. */
export interface PolicyRow {
  readonly name: string;
  readonly registry: { readonly id: string; readonly name: string };
  readonly revision: number;
  readonly policy: RetentionPolicy;
  /** Hexadecimal. */
  readonly hash: string;
  readonly nextDueAt: Date | null;
  readonly lastTickAt: Date | null;
  /** What came of the last tick: a run, nothing because one was under way, or nothing because its window was over. */
  readonly lastTick: 'run' | 'overlap' | 'too-late' | null;
  readonly pausedAt: Date | null;
  readonly pausedBy: string | null;
  readonly pauseReason: string | null;
  /** Since when no revision declares it. */
  readonly retiredAt: Date | null;
  /** The approval of these very words and this very registry. */
  readonly approval: { readonly id: string; readonly by: string; readonly at: Date; readonly reason: string } | undefined;
  /** The run that is under way. */
  readonly openRun: string | null;
  /** The newest run that has a plan of these very words. */
  readonly plannedRun: string | null;
}

export interface PolicyPage {
  readonly after?: string;
  readonly limit: number;
  /** Those too that have left the topology. */
  readonly isHistory: boolean;
}

/** Policies of retention, as rows that outlive revisions. */
export class RetentionPolicies {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async list({ after = '', limit, isHistory }: PolicyPage): Promise<PolicyRow[]> {
    const rows = await this.#database.tables.$queryRaw<RawRow[]>`
      SELECT ${columns} FROM ${joined}
      WHERE s.policy > ${after} AND ${isHistory ? Prisma.sql`true` : Prisma.sql`s.retired_at IS NULL`}
      ORDER BY s.policy LIMIT ${limit}`;
    return rows.map(toPolicy);
  }

  async get(name: string): Promise<PolicyRow | undefined> {
    return findPolicy(this.#database.tables, name);
  }

  /** Those that the active revision declares for a registry, by its id. */
  async ofRegistry(registryId: string): Promise<RetentionPolicy[]> {
    const rows = await this.#database.tables.retentionSchedule.findMany({
      where: { registryId, retiredAt: null },
      orderBy: { policy: 'asc' },
      select: { snapshot: true },
    });
    return rows.map(({ snapshot }) => snapshot as unknown as RetentionPolicy);
  }

  /**
   * From now on it does not run by itself, and what somebody runs only plans.
   * @throws RetentionRefusal `policy-unknown`, `policy-retired`, `policy-paused`
   */
  async pause(name: string, { by, reason = '' }: Decision): Promise<PolicyRow> {
    return this.#database.transaction(async (tables) => {
      const { pausedAt } = await lockDeclaredPolicy(tables, name, 'pause policy');
      if (pausedAt !== null) {
        throw new RetentionRefusal(`policy ${name} is paused already`, { code: 'policy-paused', operation: 'pause policy' });
      }
      await tables.$executeRaw`
        UPDATE retention_schedule SET paused_at = now(), paused_by = ${by}::uuid, pause_reason = ${reason} WHERE policy = ${name}`;
      await recordAct(tables, { act: 'paused', subject: name, by, reason });
      return readPolicy(tables, name);
    });
  }

  /**
   * Ends its pause; one that is not paused stays as it is. A tick that was missed meanwhile is caught up once.
   * @throws RetentionRefusal `policy-unknown`
   */
  async resume(name: string, decision: Decision): Promise<PolicyRow> {
    return this.#database.transaction(async (tables) => {
      const resumed = await tables.$executeRaw`
        UPDATE retention_schedule SET paused_at = NULL, paused_by = NULL, pause_reason = NULL
        WHERE policy = ${name} AND paused_at IS NOT NULL`;
      if (resumed > 0) {
        await recordAct(tables, { act: 'resumed', subject: name, ...decision });
        await notify(tables, 'retention');
      }
      return readPolicy(tables, name);
    });
  }
}

/** Keeps others from changing the policy until the end of the transaction. */
export async function lockDeclaredPolicy(tables: Tables, name: string, operation: string): Promise<PolicyRow> {
  await tables.$queryRaw`SELECT 1 FROM retention_schedule WHERE policy = ${name} FOR UPDATE`;
  const row = await findPolicy(tables, name);
  if (row === undefined) throw unknownPolicy(name, operation);
  if (row.retiredAt === null) return row;
  throw new RetentionRefusal(`the active topology no longer has the policy ${name}`, { code: 'policy-retired', operation });
}

async function readPolicy(tables: Tables, name: string): Promise<PolicyRow> {
  const row = await findPolicy(tables, name);
  if (row === undefined) throw unknownPolicy(name, 'read policy');
  return row;
}

async function findPolicy(tables: Tables, name: string): Promise<PolicyRow | undefined> {
  const [row] = await tables.$queryRaw<RawRow[]>`SELECT ${columns} FROM ${joined} WHERE s.policy = ${name}`;
  return row === undefined ? undefined : toPolicy(row);
}

function unknownPolicy(name: string, operation: string): RetentionRefusal {
  return new RetentionRefusal(`there is no policy ${JSON.stringify(name)}`, { code: 'policy-unknown', operation });
}

const joined = Prisma.sql`retention_schedule s JOIN registry r ON r.id = s.registry_id
  LEFT JOIN retention_approval a ON a.policy = s.policy AND a.registry_id = s.registry_id AND a.policy_hash = s.policy_hash AND a.revoked_at IS NULL`;

const columns = Prisma.sql`s.policy AS name, s.registry_id, r.name AS registry_name, s.revision, s.snapshot, encode(s.policy_hash, 'hex') AS hash,
  s.next_due_at AS "nextDueAt", s.last_tick_at AS "lastTickAt", s.last_tick AS "lastTick",
  s.paused_at AS "pausedAt", s.paused_by AS "pausedBy", s.pause_reason AS "pauseReason", s.retired_at AS "retiredAt",
  a.id AS approval_id, a.approved_by, a.approved_at, a.reason AS approval_reason,
  (SELECT o.id FROM retention_run o WHERE o.policy = s.policy AND o.finished_at IS NULL) AS "openRun",
  (SELECT p.id FROM retention_run p WHERE p.policy = s.policy AND p.registry_id = s.registry_id AND p.policy_hash = s.policy_hash
     AND p.planned_at IS NOT NULL ORDER BY p.id DESC LIMIT 1) AS "plannedRun"`;

type Plain = 'name' | 'hash' | 'nextDueAt' | 'lastTickAt' | 'lastTick' | 'pausedAt' | 'pausedBy' | 'pauseReason' | 'retiredAt' | 'openRun';
interface RawRow extends Pick<PolicyRow, Plain | 'plannedRun'> {
  readonly registry_id: string;
  readonly registry_name: string;
  readonly revision: bigint;
  readonly snapshot: RetentionPolicy;
  readonly approval_id: string | null;
  readonly approved_by: string | null;
  readonly approved_at: Date | null;
  readonly approval_reason: string | null;
}

function toPolicy(row: RawRow): PolicyRow {
  const { name, hash, nextDueAt, lastTickAt, lastTick, pausedAt, pausedBy, pauseReason, retiredAt, openRun, plannedRun } = row;
  return {
    ...{ name, hash, nextDueAt, lastTickAt, lastTick, pausedAt, pausedBy, pauseReason, retiredAt, openRun, plannedRun },
    registry: { id: row.registry_id, name: row.registry_name },
    revision: Number(row.revision),
    policy: row.snapshot,
    approval: approvalOf(row),
  };
}

function approvalOf(row: RawRow): PolicyRow['approval'] {
  const { approval_id: id, approved_by: by, approved_at: at, approval_reason: reason } = row;
  return id === null || by === null || at === null || reason === null ? undefined : { id, by, at, reason };
}
