import { type IdSource, uuidV7 } from '@waybill/kernel';
import type { Database, Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { storableJson } from '../registry-checks/storable-json.js';
import type { StoredError } from '../run/stored-error.js';
import { countOutcomes, endMarks } from './end-marks.js';
import { endRun } from './end-run.js';
import { ExecutionRecordsStore } from './execution-records.js';
import { executionStop } from './execution-stop.js';
import { type LeasedRun, underRunLease } from './leased-run.js';
import { requireMayAct } from './may-act.js';
import type { RetentionLease } from './run-leases.js';
import type { RetentionRunState } from './runs.js';

/** How far a repository of a run has come that acts. */
export type ActingState = 'planned' | 'marking' | 'grace' | 'deleting';

/** How long a registry that takes no deletions now is left alone. */
const restMs = 60_000;

/** From which states a repository comes to one; the same again is no change. */
const statesBefore: Readonly<Record<Exclude<ActingState, 'planned'>, readonly ActingState[]>> = {
  marking: ['planned', 'marking'],
  grace: ['marking', 'grace'],
  deleting: ['grace', 'deleting'],
};

/**
 * Carries a run through marking, grace and deleting, repository after repository, under its lease. Every method but the reading ones
 * rejects with ExecutionStop `lease-lost` when the lease is lost, and writes nothing then. Whoever takes a run over goes on with
 * the repositories as they stand; what was intended in them and not settled is read back first.
 */
export class ExecutionJournal {
  readonly #database: Database;
  readonly #lease: RetentionLease;
  readonly #ids: IdSource;

  constructor(database: Database, lease: RetentionLease, ids: IdSource = uuidV7) {
    this.#database = database;
    this.#lease = lease;
    this.#ids = ids;
  }

  /** By name. Of those in `grace`, only those whose marks are all due. */
  async repositories(state: ActingState, limit: number): Promise<string[]> {
    const due = state === 'grace' ? Prisma.sql`AND NOT EXISTS (${undueMarks})` : Prisma.empty;
    const rows = await this.#database.tables.$queryRaw<{ repository: string }[]>`
      SELECT y.repository FROM retention_run_repository y
      WHERE y.run_id = ${this.#lease.runId}::uuid AND y.state = ${state} ${due} ORDER BY y.repository LIMIT ${limit}`;
    return rows.map(({ repository }) => repository);
  }

  /**
   * Asks in the same transaction whether the run may still act; not of deletions that have begun, since what became of the last of
   * them is to be written down first.
   * @throws ExecutionStop why it may not, or not yet
   */
  async enter(repository: string, state: Exclude<ActingState, 'planned'>): Promise<void> {
    await this.#underLease(async (tables, run) => {
      if (state === 'deleting') {
        await this.#requireDue(tables, repository);
        await tables.$executeRaw`UPDATE retention_run SET state = 'deleting' WHERE id = ${run.id}::uuid`;
      }
      const isBegun = state === 'deleting' && (await this.#isDeleting(tables, repository));
      if (state !== 'grace' && !isBegun) await requireMayAct(tables, run.id);
      const entered = await tables.$executeRaw`
        UPDATE retention_run_repository SET state = ${state}, finished_at = NULL,
          deleting_at = CASE ${state} WHEN 'deleting' THEN coalesce(deleting_at, now()) END
        WHERE run_id = ${run.id}::uuid AND repository = ${repository} AND state = ANY(${[...statesBefore[state]]}::text[])`;
      if (entered === 0) throw new TypeError(`a repository of the run is not on its way to ${state}`);
    });
  }

  /** What the run writes down of one repository. */
  of(repository: string): ExecutionRecordsStore {
    return new ExecutionRecordsStore({ database: this.#database, lease: this.#lease, repository, ids: this.#ids });
  }

  /** Ends a repository whose deletions are settled; what is still marked in it stays. */
  async done(repository: string): Promise<void> {
    await this.#end(repository, undefined);
  }

  /** Ends a repository in which something went wrong: nothing more of it is deleted, and the next run tries again. */
  async fail(repository: string, error: StoredError): Promise<void> {
    await this.#end(repository, error);
  }

  /** Gives the lease up with the run unfinished until the earliest of its repositories is due, or a while. */
  async rest(): Promise<void> {
    await this.#underLease(async (tables, run) => {
      await tables.$executeRaw`
        UPDATE retention_run u SET state = 'grace', lease_expires_at = NULL, attempts = 0,
          resume_at = greatest(
            (SELECT coalesce(min((SELECT max(m.due_at) FROM retention_mark m
                                  WHERE m.run_id = y.run_id AND m.repository = y.repository AND m.state = 'marked')), now())
             FROM retention_run_repository y WHERE y.run_id = u.id AND y.state = 'grace'),
            CASE WHEN EXISTS (SELECT FROM collection c WHERE c.registry_id = u.registry_id AND c.finished_at IS NULL AND c.pause_id IS NOT NULL)
              THEN now() + ${restMs} * interval '1 millisecond' END)
        WHERE u.id = ${run.id}::uuid`;
    });
  }

  /** Ends the run before its plan is done: what is marked stays. What of it was deleted, it says. */
  async stop(error: StoredError): Promise<void> {
    await this.#underLease((tables, run) => endRun(tables, run.id, { state: stateWhenStopped(error), error }));
  }

  /** Ends a run whose repositories have all ended; undefined where one has not. Gives its state. */
  async finish(): Promise<RetentionRunState | undefined> {
    return this.#underLease(async (tables, run) => {
      const [left] = await tables.$queryRaw<{ open: boolean; troubled: boolean }[]>`
        SELECT coalesce(bool_or(state NOT IN ('done', 'failed', 'unplanned')), false) AS open,
               coalesce(bool_or(state IN ('failed', 'unplanned') OR failed > 0), false) AS troubled
        FROM retention_run_repository WHERE run_id = ${run.id}::uuid`;
      if (left?.open !== false) return undefined;
      const state = left.troubled ? 'partial' : 'succeeded';
      await endRun(tables, run.id, { state });
      return state;
    });
  }

  async #isDeleting(tables: Tables, repository: string): Promise<boolean> {
    const rows = await tables.$queryRaw<unknown[]>`
      SELECT 1 FROM retention_run_repository WHERE run_id = ${this.#lease.runId}::uuid AND repository = ${repository} AND state = 'deleting'`;
    return rows.length > 0;
  }

  async #requireDue(tables: Tables, repository: string): Promise<void> {
    const early = await tables.$queryRaw<unknown[]>`
      SELECT 1 FROM retention_run_repository y
      WHERE y.run_id = ${this.#lease.runId}::uuid AND y.repository = ${repository} AND EXISTS (${undueMarks})`;
    if (early.length > 0) throw executionStop('grace-not-over');
  }

  async #end(repository: string, error: StoredError | undefined): Promise<void> {
    await this.#underLease(async (tables, run) => {
      await endMarks(
        tables,
        run.id,
        error ?? { code: 'not-reached', message: 'the repository was ended before its turn came' },
        repository,
      );
      await countOutcomes(tables, run.id, repository);
      await tables.$executeRaw`
        UPDATE retention_run_repository SET state = ${error === undefined ? 'done' : 'failed'}, finished_at = now(),
          error = ${error === undefined ? null : storableJson(error)}::jsonb
        WHERE run_id = ${run.id}::uuid AND repository = ${repository} AND state IN ('planned', 'marking', 'grace', 'deleting')`;
    });
  }

  #underLease<Done>(work: (tables: Tables, run: LeasedRun) => Promise<Done>): Promise<Done> {
    return underRunLease(this.#database, this.#lease, work);
  }
}

/** Of a repository `y` of a run: marks whose grace is not over. */
const undueMarks = Prisma.sql`
  SELECT FROM retention_mark m WHERE m.run_id = y.run_id AND m.repository = y.repository AND m.state = 'marked' AND m.due_at > now()`;

/** What people decided ends a run as cancelled; what it could not foresee, without success. */
function stateWhenStopped({ code }: StoredError): 'cancelled' | 'partial' | 'failed' {
  if (code === 'window-over') return 'partial';
  const decided = ['run-cancelled', 'policy-retired', 'policy-changed', 'policy-not-enforced', 'policy-paused', 'approval-revoked'];
  return decided.includes(code) ? 'cancelled' : 'failed';
}
