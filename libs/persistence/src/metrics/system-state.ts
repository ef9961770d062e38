import type { Database } from '../database.js';

/** What waits, and for how long, in the whole system. */
export interface SystemState {
  readonly openPromotions: readonly { readonly path: string; readonly state: string; readonly count: number }[];
  /** Seconds that the job waiting longest at each location has been waiting for a worker. */
  readonly queueAges: readonly { readonly location: string; readonly seconds: number }[];
  /** Seconds since the oldest message that is not in the queue yet was written; 0 when there is none. */
  readonly outboxAge: number;
  /** Seconds since the oldest effect whose fate is unknown was intended; 0 when there is none. */
  readonly unsettledEffectAge: number;
  /** How often it has ended so, since there is this database. */
  readonly promotionsEnded: readonly { readonly path: string; readonly state: string; readonly count: number }[];
  readonly targetsEnded: readonly { readonly registry: string; readonly outcome: string; readonly count: number }[];
  /** How often a lease at a location has expired, so that another worker went on. */
  readonly leaseTakeovers: readonly { readonly location: string; readonly count: number }[];
}

/** Reads what is open through indexes that hold nothing else, so that it costs the same in the first year and in the tenth. */
export async function readSystemState({ tables }: Database): Promise<SystemState> {
  const [openPromotions, queueAges, [ages], promotionsEnded, targetsEnded, leaseTakeovers] = await Promise.all([
    tables.$queryRaw<SystemState['openPromotions']>`
      SELECT path, state, count(*)::integer AS count FROM promotion WHERE finished_at IS NULL GROUP BY path, state ORDER BY path, state`,
    tables.$queryRaw<SystemState['queueAges']>`
      SELECT location, extract(epoch FROM greatest(now() - min(queued_at), interval '0'))::float8 AS seconds
      FROM dispatch WHERE state = 'queued' GROUP BY location ORDER BY location`,
    tables.$queryRaw<{ outbox: number; effect: number }[]>`
      SELECT (SELECT coalesce(extract(epoch FROM now() - created_at), 0)::float8 FROM outbox ORDER BY id LIMIT 1) AS outbox,
        (SELECT extract(epoch FROM now() - min(intended_at))::float8 FROM effect WHERE state = 'intended') AS effect`,
    tables.$queryRaw<SystemState['promotionsEnded']>`
      SELECT name AS path, outcome AS state, count::float8 FROM outcome_tally WHERE subject = 'promotion' ORDER BY name, outcome`,
    tables.$queryRaw<SystemState['targetsEnded']>`
      SELECT name AS registry, outcome, count::float8 FROM outcome_tally WHERE subject = 'target' ORDER BY name, outcome`,
    tables.$queryRaw<SystemState['leaseTakeovers']>`
      SELECT name AS location, count::float8 FROM outcome_tally WHERE subject = 'lease' ORDER BY name`,
  ]);
  return {
    openPromotions,
    queueAges,
    outboxAge: ages?.outbox ?? 0,
    unsettledEffectAge: ages?.effect ?? 0,
    promotionsEnded,
    targetsEnded,
    leaseTakeovers,
  };
}
