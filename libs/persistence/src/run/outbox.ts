import type { Database, Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { notify } from '../notify.js';

/** A job for the queue: ids and the dispatch number, nothing else. */
export interface DispatchMessage {
  readonly promotionId: string;
  readonly location: string;
  readonly dispatch: number;
}

const topic = 'run-promotion';
const relayBatch = 100;

/**
 * How long a dispatch may wait in the queue before it is sent again: the queue can lose everything.
 * A job that is still there, waiting or running, is not added a second time, because its number is the same.
 */
const resendAfter = '60 seconds';

/** Of a statement with the common table expression `queued`: puts its messages into the outbox, but for those that wait there still. */
const send = Prisma.sql`INSERT INTO outbox (topic, payload)
  SELECT ${topic}, m.payload
  FROM queued CROSS JOIN LATERAL (
    SELECT jsonb_build_object('promotionId', queued.promotion_id, 'location', queued.location, 'dispatch', queued.number) AS payload
  ) m
  WHERE NOT EXISTS (SELECT 1 FROM outbox o WHERE o.topic = ${topic} AND o.payload = m.payload)`;

/** New dispatches of a promotion, one per location, and their messages; inside the caller's transaction. */
export async function queueDispatches(tables: Tables, promotionId: string, locations: readonly string[]): Promise<void> {
  await tables.$executeRaw`
    WITH queued AS (
      INSERT INTO dispatch (promotion_id, location, number, state, due_at, queued_at)
      SELECT ${promotionId}::uuid, location, 1, 'queued', now() + ${resendAfter}::interval, now() FROM unnest(${locations}::text[]) AS location
      RETURNING promotion_id, location, number
    )
    ${send}`;
  await notify(tables, 'outbox');
}

/** Sends the dispatches at these locations that no worker holds, whether they are due or not; inside the caller's transaction. */
export async function requeueDispatches(tables: Tables, promotionId: string, locations: readonly string[]): Promise<void> {
  const sent = await tables.$executeRaw`
    WITH queued AS (
      UPDATE dispatch SET state = 'queued', due_at = now() + ${resendAfter}::interval,
        queued_at = CASE state WHEN 'queued' THEN least(queued_at, now()) ELSE now() END
      WHERE promotion_id = ${promotionId}::uuid AND location = ANY(${locations}::text[]) AND state IN ('parked', 'queued')
      RETURNING promotion_id, location, number
    )
    ${send}`;
  if (sent > 0) await notify(tables, 'outbox');
}

/** Sends the dispatches at these locations that no worker holds, those too that were finished: under a new number. */
export async function reopenDispatches(tables: Tables, promotionId: string, locations: readonly string[]): Promise<void> {
  await tables.$executeRaw`
    UPDATE dispatch SET state = 'parked', number = number + 1
    WHERE promotion_id = ${promotionId}::uuid AND location = ANY(${locations}::text[]) AND state = 'finished'`;
  await requeueDispatches(tables, promotionId, locations);
}

/** The way from the tables to the queue. */
export class Outbox {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Sends every dispatch whose time has come: retries that are due, runs that were handed over, jobs that nobody took
   * and, under a new number, those whose lease expired because a worker died. Gives how many.
   */
  async redispatchDue(): Promise<number> {
    return this.#database.transaction(async (tables) => {
      const [row] = await tables.$queryRaw<{ due: bigint }[]>`
        WITH due AS (
          SELECT promotion_id, location FROM dispatch WHERE due_at <= now() ORDER BY due_at LIMIT ${relayBatch} FOR UPDATE SKIP LOCKED
        ), queued AS (
          UPDATE dispatch d SET number = d.number + CASE d.state WHEN 'leased' THEN 1 ELSE 0 END, state = 'queued',
            due_at = now() + ${resendAfter}::interval, queued_at = CASE d.state WHEN 'leased' THEN now() ELSE d.queued_at END, lease_expires_at = NULL
          FROM due WHERE d.promotion_id = due.promotion_id AND d.location = due.location
          RETURNING d.promotion_id, d.location, d.number
        ), sent AS (${send})
        SELECT count(*) AS due FROM queued`;
      const due = Number(row?.due ?? 0);
      if (due > 0) await notify(tables, 'outbox');
      return due;
    });
  }

  /** Where something is to be run, now or later; a location may be gone from the topology since. */
  async openLocations(): Promise<string[]> {
    const rows = await this.#database.tables.$queryRaw<{ location: string }[]>`
      SELECT DISTINCT location FROM dispatch WHERE due_at IS NOT NULL ORDER BY location`;
    return rows.map(({ location }) => location);
  }

  /**
   * Hands the oldest messages to `send` and forgets them once it resolves. A crash in between
   * sends them twice, which the queue ignores or the dispatch's lease refuses. Gives how many.
   */
  async relay(send: (messages: readonly DispatchMessage[]) => Promise<void>): Promise<number> {
    return this.#database.transaction(async (tables) => {
      const rows = await tables.$queryRaw<{ id: bigint; payload: DispatchMessage }[]>`
        SELECT id, payload FROM outbox WHERE topic = ${topic} ORDER BY id LIMIT ${relayBatch} FOR UPDATE SKIP LOCKED`;
      if (rows.length === 0) return 0;
      await send(rows.map(({ payload }) => payload));
      await tables.outbox.deleteMany({ where: { id: { in: rows.map(({ id }) => id) } } });
      return rows.length;
    });
  }
}
