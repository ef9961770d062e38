import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestDatabase, TcpProxy } from '@waybill/testing';
import { createMigratedDatabase, startTcpProxy } from '@waybill/testing';
import { type Answer, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import { applyRelease, deadAddress, promotionOf } from '../../registries-under-test.spec-helper.js';

describe('health', () => {
  let api: ApiUnderTest;
  let database: TestDatabase;
  let proxy: TcpProxy;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    const url = new URL(database.url);
    proxy = await startTcpProxy(Number(url.port));
    url.hostname = '127.0.0.1';
    url.port = String(proxy.port);
    api = await startApi({ databaseUrl: url.href });
    await applyRelease(api, { 'ci-snapshots': await deadAddress() });
  });
  afterAll(async () => {
    await proxy.flow();
    await api.stop();
    await proxy.stop();
    await database.drop();
  });

  const ask = (path: string) => api.send('GET', path, { key: null });

  async function untilReady(): Promise<Answer> {
    const deadline = performance.now() + 20_000;
    for (;;) {
      const answer = await ask('/health/ready');
      if (answer.status === 200 || performance.now() > deadline) return answer;
    }
  }

  it('is told to everyone', async () => {
    expect(await ask('/health/live')).toMatchObject({ status: 200, body: { status: 'ok', parts: {} } });
    expect(await ask('/health/ready')).toMatchObject({ status: 200, body: { status: 'ok', parts: { database: { status: 'ok' } } } });
  });

  describe('without the database', () => {
    beforeAll(() => proxy.refuse());

    it('lives, is not ready, and says what is missing', async () => {
      expect((await ask('/health/live')).status).toBe(200);
      expect(await ask('/health/ready')).toMatchObject({
        status: 503,
        body: { status: 'failing', parts: { database: { status: 'failing', problem: expect.any(String) } } },
      });
    });

    it.each([
      ['GET', '/api/v1/promotions', undefined],
      ['GET', '/api/v1/topology', undefined],
      ['PUT', '/api/v1/topology', { source: 'x' }],
      ['POST', '/api/v1/promotions', promotionOf()],
      ['GET', '/api/v1/keys', undefined],
      ['GET', `/api/v1/artifacts/sha256:${'0'.repeat(64)}/provenance`, undefined],
    ])('answers %s %s that it is down, and when to come again', async (method, path, body) => {
      const answer = await api.send(method, path, { body, headers: { 'idempotency-key': 'down' } });

      expect(problemIn(answer)).toMatchObject({ status: 503, code: 'unavailable' });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(answer.text).not.toContain(database.name);
    });

    it('does not take a key for invalid that it cannot look up', async () => {
      expect((await api.send('GET', '/api/v1/promotions', { key: `wb_${'0'.repeat(32)}_${'a'.repeat(43)}` })).status).toBe(503);
    });
  });

  it('comes back with the database, without a restart', async () => {
    await proxy.refuse();
    expect((await ask('/health/ready')).status).toBe(503);
    await proxy.flow();

    expect((await untilReady()).status).toBe(200);
    expect((await api.send('GET', '/api/v1/promotions')).status).toBe(200);
    const refused = await api.send('POST', '/api/v1/promotions', { body: promotionOf(), headers: { 'idempotency-key': 'down' } });
    expect(problemIn(refused)).toMatchObject({ status: 503, code: 'source-unreachable' });
  });
});
