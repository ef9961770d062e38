import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EventLog, IdempotencyKeys, Schedules } from '@waybill/persistence';
import { RecordedPromotions } from '../../recorded-promotions.spec-helper.js';
import { PurgeExpired, type Purgeable } from './purge-expired.js';

describe('PurgeExpired', () => {
  let recorded: RecordedPromotions;

  beforeAll(async () => {
    recorded = await RecordedPromotions.open();
  });

  afterAll(() => recorded.close());

  beforeEach(async () => {
    const { tables } = recorded.database;
    await tables.$executeRaw`DELETE FROM idempotency_key`;
    await tables.$executeRaw`UPDATE schedule SET next_due_at = now() - interval '1 hour'`;
  });

  async function addKeys(count: number, age: string): Promise<void> {
    await recorded.database.tables.$executeRaw`
      INSERT INTO idempotency_key (principal_id, route, key, request_hash, claim_token, claim_expires_at, claim_order, expires_at)
      SELECT p.id, 'POST /promotions', ${age} || n, '\\x00', gen_random_uuid(), now(), n, now() - ${age}::interval
      FROM principal p, generate_series(1, ${count}::int) n`;
  }

  function countKeys(): Promise<number> {
    return recorded.database.tables.idempotencyKey.count();
  }

  function worker(keys: Purgeable = new IdempotencyKeys(recorded.database)): PurgeExpired {
    return new PurgeExpired(new Schedules(recorded.database), 'purge-idempotency-keys', keys);
  }

  it('removes what is past its time, batch by batch until nothing is left, and nothing else', async () => {
    await addKeys(1_500, '1 second');
    await addKeys(3, '-1 hour');
    const purge = worker();

    const removed = [await purge.purge(), await purge.purge(), await purge.purge()];

    expect(removed).toEqual([1_000, 500, 0]);
    expect(await countKeys()).toBe(3);
  });

  it('leaves what is kept by another schedule alone', async () => {
    await addKeys(10, '1 second');
    const events = new EventLog(recorded.database);

    expect(await new PurgeExpired(new Schedules(recorded.database), 'purge-events', events).purge()).toBe(0);
    expect(await new Schedules(recorded.database).claim('purge-events')).toBe(false);
    expect(await worker().purge()).toBe(10);
  });

  it('is done by one of two workers', async () => {
    await addKeys(10, '1 second');

    const removed = await Promise.all([worker().purge(), worker().purge()]);

    expect(removed.sort((one, other) => one - other)).toEqual([0, 10]);
  });

  it('is not done again before its time', async () => {
    const purge = worker();
    await purge.purge();
    await addKeys(10, '1 second');

    expect(await purge.purge()).toBe(0);
    expect(await worker().purge()).toBe(0);
    expect(await countKeys()).toBe(10);
  });

  it('is tried again by the worker whose it is when it failed', async () => {
    await addKeys(10, '1 second');
    const keys = new IdempotencyKeys(recorded.database);
    const failures = [new Error('the database is away')];
    const purge = worker({
      purge: () => {
        const failure = failures.pop();
        return failure === undefined ? keys.purge() : Promise.reject(failure);
      },
    });

    await expect(purge.purge()).rejects.toThrow('the database is away');

    expect(await worker().purge()).toBe(0);
    expect(await purge.purge()).toBe(10);
  });
});
