import { type IdSource, uuidV7 } from '@waybill/kernel';
import type { Database, Tables } from '../database.js';
import { nextDue } from './declare-policies.js';
import { insertRun } from './new-run.js';
import { lockDeclaredPolicy, type PolicyRow } from './policies.js';

/** A time that had come, and what came of it. */
export interface Tick {
  readonly policy: string;
  readonly outcome: 'run' | 'overlap' | 'too-late';
}

/** Turns times that have come into runs: one for each, whatever the number of workers that look. */
export class RetentionTicks {
  readonly #database: Database;
  readonly #ids: IdSource;

  constructor(database: Database, ids: IdSource = uuidV7) {
    this.#database = database;
    this.#ids = ids;
  }

  /**
   * Takes the tick that has waited longest; undefined when none has come. The next one is counted from now, so that those missed
   * while nothing ran are caught up once; one whose window is over, or that finds a run under way, makes no run.
   */
  async take(): Promise<Tick | undefined> {
    return this.#database.transaction(async (tables) => {
      const [due] = await tables.$queryRaw<DueRow[]>`
        SELECT policy, next_due_at AS "dueAt", now() FROM retention_schedule
        WHERE next_due_at <= now() AND paused_at IS NULL
        ORDER BY next_due_at LIMIT 1 FOR UPDATE SKIP LOCKED`;
      if (due === undefined) return undefined;
      const policy = await lockDeclaredPolicy(tables, due.policy, 'take tick');
      const outcome = await this.#run(tables, policy, due);
      await tables.$executeRaw`
        UPDATE retention_schedule
        SET next_due_at = ${nextDue(policy.policy, due.now) ?? null}, last_tick_at = ${due.dueAt}, last_tick = ${outcome}
        WHERE policy = ${due.policy}`;
      return { policy: due.policy, outcome };
    });
  }

  async #run(tables: Tables, policy: PolicyRow, { dueAt, now }: DueRow): Promise<Tick['outcome']> {
    const { windowMs = Infinity } = policy.policy.schedule;
    if (now.getTime() - dueAt.getTime() > windowMs) return 'too-late';
    const window = windowMs === Infinity ? {} : { windowEndsAt: new Date(dueAt.getTime() + windowMs) };
    return (await insertRun(tables, this.#ids.next(), policy, { trigger: 'schedule', ...window })) ? 'run' : 'overlap';
  }
}

interface DueRow {
  readonly policy: string;
  readonly dueAt: Date;
  readonly now: Date;
}
