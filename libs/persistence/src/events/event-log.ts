import type { Database } from '../database.js';

/** How long an event can be read again. */
const keptFor = '7 days';
const purgedAtOnce = 1_000;

/** One change, as a trigger noted it when it became visible. */
export interface EventRow {
  readonly id: bigint;
  readonly promotionId: string;
  readonly kind: string;
  readonly body: unknown;
  readonly occurredAt: Date;
}

/** The ids of what can be read; 0 and 0 before the first event. */
export interface EventBounds {
  readonly oldest: bigint;
  readonly latest: bigint;
}

export interface EventPage {
  readonly after: bigint;
  readonly limit: number;
  /** Of this promotion only. */
  readonly promotionId?: string;
}

/**
 * What has changed, oldest first. Ids are in the order in which changes became visible:
 * whoever has read up to one finds everything later beyond it.
 */
export class EventLog {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async bounds(): Promise<EventBounds> {
    const [row] = await this.#database.tables.$queryRaw<EventBounds[]>`
      SELECT coalesce(min(id), 0) AS oldest, coalesce(max(id), 0) AS latest FROM event`;
    return row ?? { oldest: 0n, latest: 0n };
  }

  read({ after, limit, promotionId }: EventPage): Promise<EventRow[]> {
    return this.#database.tables.event.findMany({
      where: { id: { gt: after }, ...(promotionId === undefined ? {} : { promotionId }) },
      orderBy: { id: 'asc' },
      take: limit,
    });
  }

  /** Removes what is past its time, at most 1,000; gives how many. The newest stays, so that it is known how far there were any. */
  async purge(): Promise<number> {
    return this.#database.tables.$executeRaw`
      DELETE FROM event WHERE id = ANY (ARRAY(
        SELECT id FROM (SELECT id, occurred_at FROM event WHERE id < (SELECT max(id) FROM event) ORDER BY id LIMIT ${purgedAtOnce}) AS oldest
        WHERE occurred_at < now() - ${keptFor}::interval))`;
  }
}
