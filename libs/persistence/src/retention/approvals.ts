import type { StoredAnswer } from '../access/idempotency-keys.js';
import type { Decision } from '../control/decision.js';
import type { Database, Tables } from '../database.js';
import { answered, type ClaimedRequest } from './answered.js';
import { lockDeclaredPolicy, type PolicyRow } from './policies.js';
import { RetentionRefusal } from './retention-refusal.js';
import { recordAct } from './retention-record.js';

export interface NewApproval {
  readonly id: string;
  readonly policy: string;
  /** Whose plan was looked at. */
  readonly runId: string;
  readonly by: string;
  readonly reason: string;
}

/** An approval as it is kept. */
export interface ApprovalRow {
  readonly id: string;
  readonly policy: string;
  readonly registry: string;
  /** Of the policy, hexadecimal. */
  readonly hash: string;
  readonly runId: string;
  readonly reason: string;
  readonly approvedBy: string;
  readonly approvedAt: Date;
  readonly revokedBy: string | null;
  readonly revokedAt: Date | null;
  readonly revokeReason: string | null;
}

/** Who let which words of a policy act, and on the strength of which plan. */
export class RetentionApprovals {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Binds to the policy's words as they are, and to the registry that its name means: a run that planned something else is no basis.
   * One transaction with the answer to the request; undefined, and nothing done, when the request's claim was taken over meanwhile.
   * @throws RetentionRefusal `policy-unknown`, `policy-retired`, `run-unknown`, `plan-missing`, `plan-outdated`, `already-approved`
   */
  approve({ id, policy: name, runId, by, reason }: NewApproval, request: ClaimedRequest<ApprovalRow>): Promise<StoredAnswer | undefined> {
    return answered(this.#database, request, async (tables) => {
      const policy = await lockDeclaredPolicy(tables, name, operation);
      await requirePlan(tables, policy, runId);
      const made = await tables.$executeRaw`
        INSERT INTO retention_approval (id, policy, registry_id, policy_hash, snapshot, run_id, reason, approved_by)
        SELECT ${id}::uuid, s.policy, s.registry_id, s.policy_hash, s.snapshot, ${runId}::uuid, ${reason}, ${by}::uuid
        FROM retention_schedule s WHERE s.policy = ${name}
        ON CONFLICT (policy, registry_id, policy_hash) WHERE revoked_at IS NULL DO NOTHING`;
      if (made === 0) throw refused('already-approved', `policy ${name} is approved already, in these very words`);
      await recordAct(tables, { act: 'approved', subject: name, by, reason, body: { approval: id, run: runId, hash: policy.hash } });
      return readApproval(tables, id);
    });
  }

  async get(id: string): Promise<ApprovalRow | undefined> {
    return findApproval(this.#database.tables, id);
  }

  /** Newest first. */
  async list(page: { readonly policy?: string; readonly before?: string; readonly limit: number }): Promise<ApprovalRow[]> {
    const { policy, before, limit } = page;
    const rows = await this.#database.tables.retentionApproval.findMany({
      where: { ...(policy === undefined ? {} : { policy }), ...(before === undefined ? {} : { id: { lt: before } }) },
      orderBy: { id: 'desc' },
      take: limit,
      include,
    });
    return rows.map(toApproval);
  }

  /**
   * Takes it back: the policy's next run only plans. One that was revoked stays as it is.
   * @throws RetentionRefusal `approval-unknown` when there is no such approval
   */
  async revoke(id: string, { by, reason }: Decision): Promise<ApprovalRow> {
    return this.#database.transaction(async (tables) => {
      const revoked = await tables.$executeRaw`
        UPDATE retention_approval SET revoked_by = ${by}::uuid, revoked_at = now(), revoke_reason = ${reason ?? null}
        WHERE id = ${id}::uuid AND revoked_at IS NULL`;
      const row = await readApproval(tables, id);
      if (revoked > 0) {
        const facts = { act: 'revoked', subject: row.policy, by, body: { approval: id } } as const;
        await recordAct(tables, { ...facts, ...(reason === undefined ? {} : { reason }) });
      }
      return row;
    });
  }
}

const operation = 'approve policy';
const include = { registry: { select: { name: true } } } as const;

async function requirePlan(tables: Tables, policy: PolicyRow, runId: string): Promise<void> {
  const run = await tables.retentionRun.findUnique({
    where: { id: runId },
    select: { policy: true, registryId: true, policyHash: true, plannedAt: true },
  });
  if (run?.policy !== policy.name) throw refused('run-unknown', `policy ${policy.name} has no run ${runId}`);
  if (run.plannedAt === null) throw refused('plan-missing', 'the run has no plan that could be approved');
  const isSame = run.registryId === policy.registry.id && Buffer.from(run.policyHash).toString('hex') === policy.hash;
  if (!isSame) throw refused('plan-outdated', `policy ${policy.name} has changed since that run: look at a plan of it as it is now`);
}

function refused(code: 'already-approved' | 'plan-missing' | 'plan-outdated' | 'run-unknown', message: string): RetentionRefusal {
  return new RetentionRefusal(message, { code, operation });
}

async function readApproval(tables: Tables, id: string): Promise<ApprovalRow> {
  const row = await findApproval(tables, id);
  if (row === undefined) throw new RetentionRefusal('there is no such approval', { code: 'approval-unknown', operation: 'read approval' });
  return row;
}

async function findApproval(tables: Tables, id: string): Promise<ApprovalRow | undefined> {
  const row = await tables.retentionApproval.findUnique({ where: { id }, include });
  return row === null ? undefined : toApproval(row);
}

type RawRow = Omit<ApprovalRow, 'registry' | 'hash'> & { readonly policyHash: Uint8Array; readonly registry: { readonly name: string } };

function toApproval(row: RawRow): ApprovalRow {
  const { id, policy, runId, reason, approvedBy, approvedAt, revokedBy, revokedAt, revokeReason, policyHash: hash, registry } = row;
  return {
    ...{ id, policy, runId, reason, approvedBy, approvedAt, revokedBy, revokedAt, revokeReason },
    registry: registry.name,
    hash: Buffer.from(hash).toString('hex'),
  };
}
