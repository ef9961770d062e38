import { createHash } from 'node:crypto';
import { digestToBytes, type Digest } from '@waybill/oci-model';
import type { Database, Tables } from '../database.js';
import { notify } from '../notify.js';
import type { StoredError } from '../run/stored-error.js';
import { storableJson } from '../registry-checks/storable-json.js';
import { held, type RetentionLease } from './run-leases.js';
import type { DecisionRow } from './runs.js';

/** A decision as it is written; its place is that in the list. */
export type NewDecision = Omit<DecisionRow, 'repository' | 'position'>;

/** What one repository's plan comes to. */
export interface RepositoryOutcome {
  /** SHA-256 of the plan, hexadecimal. */
  readonly planHash: string;
  readonly artifacts: number;
  readonly removals: number;
  readonly unknown: number;
  readonly bytesAtMost: number;
  readonly kept: Readonly<Record<string, number>>;
}

/** The plan of one repository that is small enough to be written at once. */
export interface KeptPlan {
  readonly repository: string;
  readonly decisions: readonly NewDecision[];
  readonly outcome: RepositoryOutcome;
}

/** Rows sent in one statement. */
const batch = 2_000;
/** Rows that are removed in one transaction. */
const clearedAtOnce = 10_000;

/**
 * Writes the plan of a run, repository after repository, under its lease. Every method gives false, and writes nothing, when the lease
 * is lost. Whoever takes a run over goes on with the repositories that are pending; what was written of one is written anew.
 */
export class PlanJournal {
  readonly #database: Database;
  readonly #lease: RetentionLease;

  constructor(database: Database, lease: RetentionLease) {
    this.#database = database;
    this.#lease = lease;
  }

  /** Repositories that the run is about; those that are known already stay as they are. */
  async add(repositories: readonly string[]): Promise<boolean> {
    return this.#underLease(async (tables) => {
      await tables.$executeRaw`
        INSERT INTO retention_run_repository (run_id, repository, state)
        SELECT ${this.#lease.runId}::uuid, name, 'pending' FROM unnest(${[...repositories]}::text[]) AS name
        ON CONFLICT (run_id, repository) DO NOTHING`;
    });
  }

  /** Those of which nothing is decided, by name. */
  async pending(limit: number): Promise<string[]> {
    const rows = await this.#database.tables.$queryRaw<{ repository: string }[]>`
      SELECT repository FROM retention_run_repository WHERE run_id = ${this.#lease.runId}::uuid AND state = 'pending' ORDER BY repository LIMIT ${limit}`;
    return rows.map(({ repository }) => repository);
  }

  /** Keeps a repository's plan: first its decisions, then that they are all there. */
  async planned(repository: string, decisions: Iterable<NewDecision>, outcome: RepositoryOutcome): Promise<boolean> {
    if (!(await this.#clear(repository))) return false;
    let position = 0;
    for (const rows of batchesOf(decisions, batch)) {
      const first = position;
      position += rows.length;
      const decided = rows.map((decision, index) => ({ repository, position: first + index, decision }));
      if (!(await this.#underLease((tables) => insertDecisions(tables, this.#lease.runId, decided)))) return false;
    }
    return this.#underLease((tables) => this.#settle(tables, [{ repository, outcome }]));
  }

  /** The same of several repositories in one transaction. */
  async plannedTogether(plans: readonly KeptPlan[]): Promise<boolean> {
    const decided = plans.flatMap(({ repository, decisions }) =>
      decisions.map((decision, position) => ({ repository, position, decision })),
    );
    return this.#underLease(async (tables) => {
      const { runId } = this.#lease;
      await tables.$executeRaw`
        DELETE FROM retention_decision d USING unnest(${plans.map(({ repository }) => repository)}::text[]) AS r (name)
        WHERE d.run_id = ${runId}::uuid AND d.repository = r.name`;
      for (const rows of batchesOf(decided, batch)) await insertDecisions(tables, runId, rows);
      await this.#settle(tables, plans);
    });
  }

  /** Notes why nothing of a repository was planned: all of it is kept. */
  async unplanned(repository: string, error: StoredError): Promise<boolean> {
    if (!(await this.#clear(repository))) return false;
    return this.#underLease(async (tables) => {
      await tables.$executeRaw`
        UPDATE retention_run_repository SET state = 'unplanned', finished_at = now(), error = ${storableJson(error)}::jsonb
        WHERE run_id = ${this.#lease.runId}::uuid AND repository = ${repository} AND state = 'pending'`;
    });
  }

  /**
   * Keeps the plan of the whole run, and gives the lease up. A run that only plans has ended, and one that would remove nothing: it is
   * `partial` where a repository could not be planned. One that acts is `planned`, or waits until somebody lets it go beyond its limits.
   */
  async finishPlan(exceeded: readonly object[]): Promise<boolean> {
    const hash = await this.#planHash();
    return this.#underLease(async (tables) => {
      await tables.$executeRaw`
        UPDATE retention_run u SET planned_at = now(), plan_hash = ${hash}, lease_expires_at = NULL, attempts = 0,
          exceeded = ${exceeded.length === 0 ? null : storableJson(exceeded)}::jsonb,
          finished_at = CASE WHEN NOT next.acts THEN now() END,
          state = CASE WHEN next.acts THEN ${exceeded.length === 0 ? 'planned' : 'waiting-approval'}
                       WHEN next.lacks THEN 'partial' ELSE 'succeeded' END
        FROM (
          SELECT r.mode = 'enforce' AND EXISTS (SELECT FROM retention_decision WHERE run_id = r.id AND verdict <> 'keep') AS acts,
            EXISTS (SELECT FROM retention_run_repository WHERE run_id = r.id AND state = 'unplanned') AS lacks
          FROM retention_run r WHERE r.id = ${this.#lease.runId}::uuid
        ) next
        WHERE u.id = ${this.#lease.runId}::uuid`;
      await notify(tables, 'retention');
    });
  }

  /** SHA-256 over the repositories' names and plan hashes, in the order of names; one that was not planned counts with an empty hash. */
  async #planHash(): Promise<Uint8Array<ArrayBuffer>> {
    const hash = createHash('sha256');
    for (let after = '', more = true; more;) {
      const rows = await this.#database.tables.$queryRaw<{ repository: string; plan_hash: Uint8Array | null }[]>`
        SELECT repository, plan_hash FROM retention_run_repository
        WHERE run_id = ${this.#lease.runId}::uuid AND repository > ${after} ORDER BY repository LIMIT ${batch}`;
      for (const { repository, plan_hash: planHash } of rows) {
        hash.update(`${repository}\n${planHash === null ? '' : Buffer.from(planHash).toString('hex')}\n`);
      }
      more = rows.length === batch;
      after = rows.at(-1)?.repository ?? after;
    }
    return new Uint8Array(hash.digest());
  }

  /** What a worker that died had written of it, some at a time: each row is looked at by a trigger. */
  async #clear(repository: string): Promise<boolean> {
    for (let cleared = clearedAtOnce; cleared === clearedAtOnce;) {
      const isHeld = await this.#underLease(async (tables) => {
        cleared = await tables.$executeRaw`
          DELETE FROM retention_decision WHERE run_id = ${this.#lease.runId}::uuid AND repository = ${repository} AND position IN (
            SELECT position FROM retention_decision WHERE run_id = ${this.#lease.runId}::uuid AND repository = ${repository}
            ORDER BY position LIMIT ${clearedAtOnce})`;
      });
      if (!isHeld) return false;
    }
    return true;
  }

  async #settle(tables: Tables, plans: readonly Pick<KeptPlan, 'repository' | 'outcome'>[]): Promise<void> {
    const { runId } = this.#lease;
    const rows = plans.map(({ repository, outcome }) => ({ repository, ...outcome }));
    await tables.$executeRaw`
      WITH settled AS (
        UPDATE retention_run_repository r
        SET state = 'planned', finished_at = now(), plan_hash = decode(o."planHash", 'hex'), artifacts = o.artifacts, removals = o.removals,
          unknown = o.unknown, bytes_at_most = o."bytesAtMost", kept = o.kept
        FROM jsonb_to_recordset(${storableJson(rows)}::jsonb)
          AS o (repository text, "planHash" text, artifacts bigint, removals bigint, unknown bigint, "bytesAtMost" bigint, kept jsonb)
        WHERE r.run_id = ${runId}::uuid AND r.repository = o.repository AND r.state = 'pending'
        RETURNING r.artifacts, r.removals, r.unknown, r.bytes_at_most
      )
      UPDATE retention_run SET repositories = repositories + s.count, artifacts = retention_run.artifacts + s.artifacts,
        removals = retention_run.removals + s.removals, unknown = retention_run.unknown + s.unknown, bytes_at_most = retention_run.bytes_at_most + s.bytes
      FROM (
        SELECT count(*) AS count, coalesce(sum(artifacts), 0) AS artifacts, coalesce(sum(removals), 0) AS removals,
          coalesce(sum(unknown), 0) AS unknown, coalesce(sum(bytes_at_most), 0) AS bytes FROM settled
      ) s
      WHERE id = ${runId}::uuid`;
  }

  /** The row is locked: whoever claims the run next waits until `work` is committed, and finds it. */
  async #underLease(work: (tables: Tables) => Promise<void>): Promise<boolean> {
    return this.#database.transaction(async (tables) => {
      const rows = await tables.$queryRaw<unknown[]>`SELECT 1 FROM retention_run WHERE ${held(this.#lease)} FOR NO KEY UPDATE`;
      if (rows.length === 0) return false;
      await work(tables);
      return true;
    });
  }
}

/** A decision and its place in the plan of a repository. */
interface PlacedDecision {
  readonly repository: string;
  readonly position: number;
  readonly decision: NewDecision;
}

async function insertDecisions(tables: Tables, runId: string, rows: readonly PlacedDecision[]): Promise<void> {
  const written = rows.map(({ repository, position, decision: { digest, ...row } }) => ({
    repository,
    position,
    hash: hexOf(digest),
    ...row,
  }));
  await tables.$executeRaw`
    INSERT INTO retention_decision (run_id, repository, position, digest, tag, verdict, archive_to, reasons, is_unknown, bytes)
    SELECT ${runId}::uuid, d.repository, d.position, decode(d.hash, 'hex'), d.tag, d.verdict, d."archiveTo", d.reasons, d."isUnknown", d.bytes
    FROM jsonb_to_recordset(${storableJson(written)}::jsonb) AS d (repository text, position integer, hash text, tag text, verdict text,
      "archiveTo" jsonb, reasons jsonb, "isUnknown" boolean, bytes bigint)`;
}

function hexOf(digest: Digest): string {
  return Buffer.from(digestToBytes(digest)).toString('hex');
}

function* batchesOf<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let rows: T[] = [];
  for (const item of items) {
    rows.push(item);
    if (rows.length < size) continue;
    yield rows;
    rows = [];
  }
  if (rows.length > 0) yield rows;
}
