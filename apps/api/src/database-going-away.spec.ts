import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Database } from '@waybill/persistence';
import {
  createMigratedDatabase,
  type FrailPostgres,
  type SessionEnd,
  sessionEnds,
  startFrailPostgres,
  type TestDatabase,
  until,
} from '@waybill/testing';
import { type Answer, type ApiUnderTest, problemIn, startApi } from './api-under-test.spec-helper.js';
import { applyRelease, promotionOf, type RegistryUnderTest, startRegistry } from './registries-under-test.spec-helper.js';

interface Writing {
  readonly path: string;
  body(number: number): unknown;
  /** How often it was done. */
  count(database: Database): Promise<number>;
  /** Makes room for the next one. */
  tidy?(database: Database): Promise<unknown>;
}

const writings: readonly Writing[] = [
  { path: '/api/v1/promotions', body: () => promotionOf(), count: (database) => database.tables.promotion.count() },
  {
    path: '/api/v1/pauses',
    body: (number) => ({ scope: 'path', name: 'release', reason: `freeze ${number}` }),
    count: (database) => database.tables.pause.count(),
    tidy: (database) => database.tables.$executeRaw`UPDATE pause SET resumed_at = now(), resumed_by = paused_by WHERE resumed_at IS NULL`,
  },
  {
    path: '/api/v1/keys',
    body: (number) => ({ subject: `pipeline-${number}`, grants: [{ verbs: ['promotions:read'], paths: ['*'], repositories: ['**'] }] }),
    count: (database) => database.tables.apiKey.count(),
  },
];

describe('the API, whose database goes away', () => {
  let server: TestDatabase;
  let frail: FrailPostgres;
  let source: RegistryUnderTest;
  let api: ApiUnderTest;
  let database: Database;

  beforeAll(async () => {
    server = await createMigratedDatabase();
    frail = await startFrailPostgres(server);
    source = await startRegistry();
    await source.push('team-a/app', '1.0.0');
    api = await startApi({ databaseUrl: frail.url, config: { registryDeadlineMs: 30_000 } });
    await applyRelease(api, { 'ci-snapshots': source.url, prod: source.url, 'prod-us': source.url });
    database = new Database(server.url, { maxConnections: 1 });
  });

  afterAll(async () => {
    await api.stop();
    await database.close();
    await source.stop();
    await frail.stop();
    await server.drop();
  });

  /** As if a minute had passed: the claim of an attempt that never learned that it had it is free again. */
  const expireClaims = () => database.tables.$executeRaw`UPDATE idempotency_key SET claim_expires_at = now() WHERE status IS NULL`;

  /** Whether it was done; what was not is to be repeated, and says when. */
  async function isDone(answer: Answer): Promise<boolean> {
    if (answer.status < 300) return true;
    const { status, code } = problemIn(answer);
    expect([`503 unavailable`, '409 request-in-flight']).toContain(`${status} ${code}`);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    if (code === 'request-in-flight') await expireClaims();
    return false;
  }

  const cases = writings.flatMap((writing) => sessionEnds.map((end): [string, SessionEnd, Writing] => [writing.path, end, writing]));

  it.each(cases)('does POST %s once, whenever a session ends (%s), and says 503 until it is done', async (path, end, writing) => {
    let refused = 0;
    for (let sent = 0; ; sent += 1) {
      const before = await writing.count(database);
      const headers = { 'idempotency-key': `${end}-${sent}` };
      void frail.endAfter(sent, end);
      await until(`it is done when the session ends after ${sent} messages`, async () => {
        const done = await isDone(await api.post(path, writing.body(sent), { headers }));
        if (!done) refused += 1;
        return done;
      });
      expect(await writing.count(database)).toBe(before + 1);
      await writing.tidy?.(database);
      if (frail.spare()) break;
    }

    expect(refused).toBeGreaterThan(0);
  });
});
