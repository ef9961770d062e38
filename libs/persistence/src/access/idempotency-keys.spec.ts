import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { Scene } from '../scene.spec-helper.js';
import { type IdempotentRequest, IdempotencyKeys, storeAnswer } from './idempotency-keys.js';

const answer = { status: 202, headers: { Location: '/api/v1/promotions/1' }, body: { id: '1', list: [1, null] } };

describe('IdempotencyKeys', () => {
  let scene: Scene;
  let keys: IdempotencyKeys;
  let asked = 0;

  beforeAll(async () => {
    scene = await Scene.start();
    keys = new IdempotencyKeys(scene.database);
  });

  afterAll(() => scene.close());

  function request(facts: Partial<IdempotentRequest> = {}): IdempotentRequest {
    asked += 1;
    return { principalId: scene.principalId, route: 'POST /promotions', key: `key-${asked}`, hash: new Uint8Array(32).fill(1), ...facts };
  }

  function changed(request: IdempotentRequest): IdempotentRequest {
    return { ...request, hash: new Uint8Array(32).fill(2) };
  }

  async function claim(request: IdempotentRequest): Promise<string> {
    const claim = await keys.claim(request);
    if (claim.claim !== 'ours') throw new Error(`the claim is ${claim.claim}`);
    return claim.token;
  }

  async function answered(request: IdempotentRequest): Promise<void> {
    const token = await claim(request);
    expect(await storeAnswer(scene.database.tables, request, token, answer)).toBe(true);
  }

  /** As if this had happened some time ago. */
  async function age({ key }: IdempotentRequest, seconds: number): Promise<void> {
    await scene.database.tables.$executeRaw`
      UPDATE idempotency_key SET claim_expires_at = claim_expires_at - ${seconds} * interval '1 second',
        expires_at = expires_at - ${seconds} * interval '1 second' WHERE key = ${key}`;
  }

  const hour = 3_600;

  it.each<[string, string, (request: IdempotentRequest) => Promise<void>, (request: IdempotentRequest) => IdempotentRequest]>([
    ['ours', 'is new', () => Promise.resolve(), (same) => same],
    ['in-flight', 'is being handled', (it) => claim(it).then(() => undefined), (same) => same],
    ['other-request', 'is being handled for another body', (it) => claim(it).then(() => undefined), changed],
    ['answered', 'was answered', answered, (same) => same],
    ['other-request', 'was answered for another body', answered, changed],
    ['ours', 'is used by another principal’s route', answered, (it) => ({ ...it, route: 'POST /keys' })],
    ['in-flight', 'was claimed 59 s ago', (it) => claim(it).then(() => age(it, 59)), (same) => same],
    ['ours', 'was claimed over a minute ago and never answered', (it) => claim(it).then(() => age(it, 61)), (same) => same],
    ['other-request', 'was so, and comes with another body', (it) => claim(it).then(() => age(it, 61)), changed],
    ['answered', 'was answered almost 24 h ago', (it) => answered(it).then(() => age(it, 24 * hour - 60)), (same) => same],
    ['ours', 'was answered over 24 h ago', (it) => answered(it).then(() => age(it, 24 * hour + 1)), (same) => same],
    ['ours', 'was answered over 24 h ago, for another body', (it) => answered(it).then(() => age(it, 24 * hour + 1)), changed],
  ])('says %s when the key %s', async (claimed, _when, before, again) => {
    const first = request();
    await before(first);

    expect((await keys.claim(again(first))).claim).toBe(claimed);
  });

  it('gives the first answer again, as it was', async () => {
    const repeated = request();
    await answered(repeated);

    expect(await keys.claim(repeated)).toEqual({ claim: 'answered', answer });
  });

  it('keeps no answer of a handler whose claim was taken over', async () => {
    const slow = request();
    const token = await claim(slow);
    await age(slow, 61);
    const takenOver = await claim(slow);

    expect(await storeAnswer(scene.database.tables, slow, token, answer)).toBe(false);
    expect(await storeAnswer(scene.database.tables, slow, takenOver, answer)).toBe(true);
    expect(await storeAnswer(scene.database.tables, slow, takenOver, { ...answer, status: 500 })).toBe(false);
  });

  it('releases a claim for the next, and neither an answer nor a claim that was taken over', async () => {
    const failed = request();
    await keys.release(failed, await claim(failed));
    const token = await claim(failed);
    await age(failed, 61);
    const takenOver = await claim(failed);
    await keys.release(failed, token);
    expect((await keys.claim(failed)).claim).toBe('in-flight');

    await storeAnswer(scene.database.tables, failed, takenOver, answer);
    await keys.release(failed, takenOver);

    expect((await keys.claim(failed)).claim).toBe('answered');
  });

  it('gives a key to exactly one of many who claim it at once', async () => {
    for (let round = 0; round < 20; round += 1) {
      const wanted = request();
      const claims = await Promise.all(Array.from({ length: 8 }, () => keys.claim(wanted)));

      expect(claims.filter(({ claim }) => claim === 'ours')).toHaveLength(1);
      expect(claims.filter(({ claim }) => claim === 'in-flight')).toHaveLength(7);
    }
  });

  it('gives an abandoned key to exactly one of many who take it over at once', async () => {
    const abandoned = request();
    await claim(abandoned);
    await age(abandoned, 61);

    const claims = await Promise.all(Array.from({ length: 8 }, () => keys.claim(abandoned)));

    expect(claims.filter(({ claim }) => claim === 'ours')).toHaveLength(1);
  });

  it('purges what is past its time, and nothing else', async () => {
    await keys.purge();
    const old = request();
    const young = request();
    await answered(old);
    await answered(young);
    await age(old, 24 * hour + 1);

    expect(await keys.purge()).toBe(1);
    expect(await keys.purge()).toBe(0);
    expect((await keys.claim(young)).claim).toBe('answered');
  });

  it('does not purge a key that is claimed anew at that moment', async () => {
    const reused = request();
    await answered(reused);
    await age(reused, 24 * hour + 1);
    const other = new pg.Client({ connectionString: scene.server.url });
    await other.connect();
    await other.query('BEGIN');
    await other.query(
      `UPDATE idempotency_key SET status = NULL, claim_expires_at = now() + interval '1 minute', expires_at = now() + interval '24 hours' WHERE key = $1`,
      [reused.key],
    );
    const purged = keys.purge();
    await untilSomebodyWaits(other);
    await other.query('COMMIT');
    await other.end();

    expect(await purged).toBe(0);
    expect((await keys.claim(reused)).claim).toBe('in-flight');
  });

  async function untilSomebodyWaits(client: pg.Client): Promise<void> {
    for (;;) {
      const { rowCount } = await client.query(`SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database OR l.database IS NULL
        WHERE NOT l.granted AND d.datname = current_database()`);
      if (rowCount !== 0) return;
    }
  }
});
