import type { Database } from '../database.js';

/** Messages that one turn hands on at most. */
export const relayBatch = 100;

/**
 * Hands the oldest messages of a topic to `send` and forgets them once it resolves. A crash in between
 * sends them twice, which the queue ignores or the lease of the work refuses. Gives how many.
 */
export async function relayTopic<Message>(
  database: Database,
  topic: string,
  send: (messages: readonly Message[]) => Promise<void>,
): Promise<number> {
  return database.transaction(async (tables) => {
    const rows = await tables.$queryRaw<{ id: bigint; payload: Message }[]>`
      SELECT id, payload FROM outbox WHERE topic = ${topic} ORDER BY id LIMIT ${relayBatch} FOR UPDATE SKIP LOCKED`;
    if (rows.length === 0) return 0;
    await send(rows.map(({ payload }) => payload));
    await tables.outbox.deleteMany({ where: { id: { in: rows.map(({ id }) => id) } } });
    return rows.length;
  });
}
