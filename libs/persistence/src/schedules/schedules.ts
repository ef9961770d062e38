import type { Database } from '../database.js';

/** Recurring work: rows that whoever polls first claims. */
export class Schedules {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * True for exactly one caller when the time has come; the next time is then one period
   * after now, so ticks missed while nothing ran are caught up once.
   */
  async claim(name: string): Promise<boolean> {
    const count = await this.#database.tables.$executeRaw`
      UPDATE schedule SET next_due_at = now() + every
      WHERE name = (SELECT name FROM schedule WHERE name = ${name} AND next_due_at <= now() FOR UPDATE SKIP LOCKED)`;
    return count > 0;
  }
}
