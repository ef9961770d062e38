import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Tag } from '@waybill/oci-model';
import pg from 'pg';
import { MemoryCopier, Scene } from '../scene.spec-helper.js';
import { EventLog, type EventRow } from './event-log.js';

describe('EventLog', () => {
  let scene: Scene;
  let log: EventLog;
  const clients: pg.Client[] = [];

  beforeAll(async () => {
    scene = await Scene.start();
    log = new EventLog(scene.database);
  });
  beforeEach(async () => {
    await scene.database.tables.event.deleteMany();
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.end()));
    await scene.close();
  });

  /** A session of its own, whose transactions a spec can hold open. */
  async function session(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: scene.server.url });
    clients.push(client);
    await client.connect();
    return client;
  }

  const change = (client: pg.Client, promotionId: string, location: string) =>
    client.query('UPDATE item_target SET location = $2 WHERE promotion_id = $1', [promotionId, location]);
  const locationOf = ({ body }: EventRow) => (body as { readonly location?: string }).location;

  /** Requests promotions of one target each, and forgets that it did. */
  async function requested(count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let n = 0; n < count; n += 1) ids.push(await scene.request({ targets: ['prod'], tags: [`of-${n}`] as Tag[] }));
    await scene.takeMessages();
    await scene.database.tables.event.deleteMany();
    return ids;
  }

  it('tells the whole way of a promotion in its order', async () => {
    const id = await scene.request({ targets: ['prod'] });
    await scene.run(await scene.messageOf(id), new MemoryCopier());

    const told = (await log.read({ after: 0n, limit: 100, promotionId: id })).map(({ kind, body }) => {
      const { state, outcome } = body as { readonly state?: string; readonly outcome?: string };
      return [kind, state, outcome].filter((word) => word !== undefined).join(' ');
    });

    expect(told).toEqual([
      'promotion requested',
      'promotion running',
      'target copying',
      'target verifying',
      'target attesting',
      'target tagging',
      'tag written',
      'target done copied',
      'promotion succeeded',
    ]);
  });

  it('says of a target and of a tag all that a reader needs', async () => {
    const id = await scene.request({ targets: ['prod-b'], tags: ['full'] as Tag[] });
    await scene.run(await scene.messageOf(id), new MemoryCopier());
    const rows = await log.read({ after: 0n, limit: 100, promotionId: id });
    const of = (kind: string) => rows.filter((row) => row.kind === kind).at(-1)?.body;
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const place = { target: expect.any(String), item: 0, registry: 'prod-b', repository: 'team-a/app' };

    expect(of('promotion')).toEqual({ path: 'release', state: 'succeeded', requestedAt: time, finishedAt: time });
    expect(of('target')).toEqual({
      ...{ ...place, location: 'eu', requirement: 'required', state: 'done', outcome: 'copied', attempts: 1 },
      ...{ bytesCopied: 2, bytesMounted: 0, bytesSkipped: 0, startedAt: time, finishedAt: time },
    });
    expect(of('tag')).toEqual({ ...place, tag: 'full', outcome: 'written', digest: expect.stringMatching(/^sha256:/) });
  });

  it('tells of a cancellation when it is asked for', async () => {
    const [id = ''] = await requested(1);
    await scene.database.tables.promotionCancellation.create({ data: { promotionId: id, requestedBy: scene.principalId } });

    expect(await log.read({ after: 0n, limit: 10 })).toMatchObject([
      { kind: 'promotion', body: { state: 'requested', cancelRequestedAt: expect.any(String) } },
    ]);
  });

  it('loses nothing of a transaction that began first and commits last', async () => {
    const [first = '', second = ''] = await requested(2);
    const [early, late] = [await session(), await session()];
    await early.query('BEGIN');
    await change(early, first, 'early');
    await change(late, second, 'late');

    const before = await log.read({ after: 0n, limit: 10 });
    await early.query('COMMIT');
    const after = await log.read({ after: before.at(-1)?.id ?? 0n, limit: 10 });

    expect([before.map(locationOf), after.map(locationOf)]).toEqual([['late'], ['early']]);
  });

  it('tells nothing of what was rolled back', async () => {
    const [id = ''] = await requested(1);
    const client = await session();
    await client.query('BEGIN');
    await change(client, id, 'never');
    await client.query('ROLLBACK');
    await change(client, id, 'now');

    expect((await log.read({ after: 0n, limit: 10 })).map(locationOf)).toEqual(['now']);
  });

  it('gives a reader that always resumes every change once, whatever writers do at once', async () => {
    const writers = 6;
    const rounds = 25;
    const ids = await requested(writers);
    const seen: EventRow[] = [];
    const writing = { goesOn: true };
    const reading = (async () => {
      for (let isLast = false; !isLast;) {
        isLast = !writing.goesOn;
        for (;;) {
          const page = await log.read({ after: seen.at(-1)?.id ?? 0n, limit: 7 });
          seen.push(...page);
          if (page.length < 7) break;
        }
      }
    })();

    await Promise.all(
      ids.map(async (id, writer) => {
        const client = await session();
        for (let round = 0; round < rounds; round += 1) {
          await client.query('BEGIN');
          await change(client, id, `${writer}/${round}/a`);
          // Others commit while this one goes on.
          if (round % 2 === writer % 2) await client.query('SELECT count(*) FROM generate_series(1, 20000)');
          await change(client, id, `${writer}/${round}/b`);
          await client.query(round % 5 === 4 ? 'ROLLBACK' : 'COMMIT');
        }
      }),
    );
    writing.goesOn = false;
    await reading;

    const expected = ids.flatMap((_id, writer) =>
      Array.from({ length: rounds }, (_, round) => round)
        .filter((round) => round % 5 !== 4)
        .flatMap((round) => [`${writer}/${round}/a`, `${writer}/${round}/b`]),
    );
    expect(seen.map(locationOf).sort()).toEqual(expected.sort());
  });

  it('tells one promotion apart from others, page by page', async () => {
    const [one = '', other = ''] = await requested(2);
    const client = await session();
    for (const location of ['a', 'b', 'c']) for (const id of [one, other]) await change(client, id, location);

    const first = await log.read({ after: 0n, limit: 2, promotionId: one });
    const rest = await log.read({ after: first.at(-1)?.id ?? 0n, limit: 2, promotionId: one });

    expect([first.map(locationOf), rest.map(locationOf)]).toEqual([['a', 'b'], ['c']]);
  });

  it('knows how far it goes', async () => {
    expect(await log.bounds()).toEqual({ oldest: 0n, latest: 0n });
    const [id = ''] = await requested(1);
    const client = await session();
    for (const location of ['a', 'b', 'c']) await change(client, id, location);
    const rows = await log.read({ after: 0n, limit: 10 });

    expect(await log.bounds()).toEqual({ oldest: rows[0]?.id, latest: rows[2]?.id });
  });

  it('forgets what is past its time, and never the newest', async () => {
    const age = (count: number, days: number) =>
      scene.database.tables.$executeRaw`
        INSERT INTO event (promotion_id, kind, body, occurred_at)
        SELECT ${scene.principalId}::uuid, 'promotion', '{}', now() - ${days} * interval '1 day' FROM generate_series(1, ${count}::int)`;
    await age(1_200, 8);
    await age(1, 6);

    expect([await log.purge(), await log.purge(), await log.purge()]).toEqual([1_000, 200, 0]);

    await scene.database.tables.event.deleteMany();
    await age(3, 30);
    expect([await log.purge(), await log.purge()]).toEqual([2, 0]);
    const { oldest, latest } = await log.bounds();
    expect(oldest).toBe(latest);
  });
});
