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

/** Rows sent in one statement. */
const batch = 2_000;

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
      if (!(await this.#underLease((tables) => insertDecisions(tables, { runId: this.#lease.runId, repository, first }, rows)))) {
        return false;
      }
    }
    return this.#underLease((tables) => this.#settle(tables, repository, outcome));
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

  /** What a worker that died had written of it. */
  #clear(repository: string): Promise<boolean> {
    return this.#underLease(async (tables) => {
      await tables.$executeRaw`DELETE FROM retention_decision WHERE run_id = ${this.#lease.runId}::uuid AND repository = ${repository}`;
    });
  }

  async #settle(tables: Tables, repository: string, outcome: RepositoryOutcome): Promise<void> {
    const { planHash, artifacts, removals, unknown, bytesAtMost, kept } = outcome;
    const { runId } = this.#lease;
    const settled = await tables.$executeRaw`
      UPDATE retention_run_repository
      SET state = 'planned', finished_at = now(), plan_hash = decode(${planHash}, 'hex'), artifacts = ${artifacts}, removals = ${removals},
        unknown = ${unknown}, bytes_at_most = ${bytesAtMost}, kept = ${JSON.stringify(kept)}::jsonb
      WHERE run_id = ${runId}::uuid AND repository = ${repository} AND state = 'pending'`;
    if (settled === 0) return;
    await tables.$executeRaw`
      UPDATE retention_run SET repositories = repositories + 1, artifacts = artifacts + ${artifacts}, removals = removals + ${removals},
        unknown = unknown + ${unknown}, bytes_at_most = bytes_at_most + ${bytesAtMost}
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

interface Place {
  readonly runId: string;
  readonly repository: string;
  /** Position of the first row. */
  readonly first: number;
}

async function insertDecisions(tables: Tables, { runId, repository, first }: Place, rows: readonly NewDecision[]): Promise<void> {
  const written = rows.map(({ digest, ...row }, index) => ({ ...row, position: first + index, hash: hexOf(digest) }));
  await tables.$executeRaw`
    INSERT INTO retention_decision (run_id, repository, position, digest, tag, verdict, archive_to, reasons, is_unknown, bytes)
    SELECT ${runId}::uuid, ${repository}, d.position, decode(d.hash, 'hex'), d.tag, d.verdict, d."archiveTo", d.reasons, d."isUnknown", d.bytes
    FROM jsonb_to_recordset(${storableJson(written)}::jsonb)
      AS d (position integer, hash text, tag text, verdict text, "archiveTo" jsonb, reasons jsonb, "isUnknown" boolean, bytes bigint)`;
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
