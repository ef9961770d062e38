import type { Database, Tables } from '../database.js';
import { notify } from '../notify.js';
import { relayBatch, relayTopic } from '../outbox/relay-topic.js';

/** A job for the queue: which registry to check, and the number of this dispatch. */
export interface CheckMessage {
  readonly checkId: string;
  readonly registryId: string;
  readonly location: string;
  readonly dispatch: number;
}

const topic = 'check-registry';
/** The queue can lose everything: then the job is sent again under a new number. */
export const resendCheckAfter = '60 seconds';
/** A check during which this many workers died is not tried again. */
const maxAttempts = 3;

/** Messages for the registries of a check that wait for a worker; inside the caller's transaction. */
export async function sendChecks(tables: Tables, checkId: string): Promise<void> {
  await tables.$executeRaw`
    INSERT INTO outbox (topic, payload)
    SELECT ${topic}, jsonb_build_object('checkId', check_id, 'registryId', registry_id, 'location', location, 'dispatch', dispatch)
    FROM checked_registry WHERE check_id = ${checkId}::uuid AND state = 'queued'`;
  await notify(tables, 'outbox');
}

/** The way of checks from the tables to the queue. */
export class CheckOutbox {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Sends again, under a new number, what no worker took in time or a worker died over; what killed
   * too many of them is given up. Gives how many.
   */
  async redispatchDue(): Promise<number> {
    return this.#database.transaction(async (tables) => {
      const given = await tables.$executeRaw`
        UPDATE checked_registry SET state = 'finished', finished_at = now(), due_at = NULL, error = ${workersDied}::jsonb
        WHERE due_at <= now() AND attempts >= ${maxAttempts}`;
      const sent = await tables.$executeRaw`
        WITH due AS (
          SELECT check_id, registry_id FROM checked_registry WHERE due_at <= now() ORDER BY due_at LIMIT ${relayBatch} FOR UPDATE SKIP LOCKED
        ), queued AS (
          UPDATE checked_registry c
          SET dispatch = c.dispatch + 1, state = 'queued', due_at = now() + ${resendCheckAfter}::interval, lease_expires_at = NULL
          FROM due WHERE c.check_id = due.check_id AND c.registry_id = due.registry_id
          RETURNING c.check_id, c.registry_id, c.location, c.dispatch
        )
        INSERT INTO outbox (topic, payload)
        SELECT ${topic}, jsonb_build_object('checkId', check_id, 'registryId', registry_id, 'location', location, 'dispatch', dispatch)
        FROM queued`;
      if (sent > 0) await notify(tables, 'outbox');
      return given + sent;
    });
  }

  /** Where something is to be checked. */
  async openLocations(): Promise<string[]> {
    const rows = await this.#database.tables.$queryRaw<{ location: string }[]>`
      SELECT DISTINCT location FROM checked_registry WHERE due_at IS NOT NULL ORDER BY location`;
    return rows.map(({ location }) => location);
  }

  /** Hands the oldest messages to `send` and forgets them once it resolves; gives how many. */
  relay(send: (messages: readonly CheckMessage[]) => Promise<void>): Promise<number> {
    return relayTopic(this.#database, topic, send);
  }
}

const workersDied = JSON.stringify({
  code: 'attempts-exhausted',
  message: `${maxAttempts} workers died while they checked this registry: look at their logs`,
  operation: 'check registry',
  retryable: true,
});
