import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Actor, everything } from '@waybill/access';
import { silentLogger } from '@waybill/observability';
import { Database, EventLog, Notifications, PromotionReadModel } from '@waybill/persistence';
import { createMigratedDatabase, type TestDatabase, until } from '@waybill/testing';
import { EventReader } from '../../event-reader.spec-helper.js';
import { EventFeed } from './event-feed.js';
import { FollowEvents, type FollowEventsOptions, type Reading } from './follow-events.js';
import { ProgressFeed } from './progress-feed.js';
import { PromotionScopes } from './promotion-scopes.js';
import { Readers } from './readers.js';
import { RecordedPromotion } from './recorded-promotion.spec-helper.js';

const actor: Actor = { keyId: 'key', principal: { id: 'anna', kind: 'person', issuer: 'spec', subject: 'anna' }, grants: everything };

describe('following events', () => {
  let server: TestDatabase;
  let database: Database;
  const open: { readonly close: () => Promise<void> }[] = [];
  /** Promotions whose streams have closed. */
  const closed: (string | null)[] = [];

  beforeAll(async () => {
    server = await createMigratedDatabase();
    database = new Database(server.url);
  });
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close();
  });
  afterAll(async () => {
    await database.close();
    await server.drop();
  });

  /** Streams as the API serves them, with patience of the spec's own; gives their address. */
  async function serve(options: Partial<FollowEventsOptions> & { readonly maxKept?: number } = {}, reading: Partial<Reading> = {}) {
    const log = new EventLog(database);
    const feed = new EventFeed({ log, logger: silentLogger, ...(options.maxKept === undefined ? {} : { maxKept: options.maxKept }) });
    const notifications = new Notifications(server.url, () => undefined);
    notifications.on('event', () => feed.wake());
    notifications.start();
    const promotions = new PromotionReadModel(database);
    const follow = new FollowEvents({
      ...{ log, feed, promotions, logger: silentLogger, heartbeatMs: 60_000, stallMs: 60_000 },
      ...{ progress: new ProgressFeed(), scopes: new PromotionScopes(promotions), readers: new Readers({ total: 200, perPrincipal: 200 }) },
      ...options,
    });
    const http: Server = createServer((request, response) => {
      const { searchParams } = new URL(request.url ?? '', 'http://localhost');
      const [after, promotionId] = [searchParams.get('after'), searchParams.get('promotion')];
      response.once('close', () => closed.push(promotionId));
      const asked = {
        ...{ actor, authenticate: () => Promise.resolve(actor), ...reading },
        ...(after === null ? {} : { after: BigInt(after) }),
        ...(promotionId === null ? {} : { promotionId }),
      };
      follow.follow(asked, response).catch((error: unknown) => response.writeHead(429).end(String(error)));
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    open.push({
      close: async () => {
        await follow.close();
        await notifications.close();
        http.closeAllConnections();
        http.close();
      },
    });
    return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  }

  async function read(address: string, lastEventId?: string): Promise<EventReader> {
    const reader = await EventReader.open(lastEventId === undefined ? address : `${address}&after=${lastEventId}`, { key: 'key' });
    open.push({
      close: () => {
        reader.close();
        return Promise.resolve();
      },
    });
    return reader;
  }

  /** Events of a promotion, each of several kilobytes, told of as triggers do. */
  async function chatter(promotionId: string, count: number): Promise<void> {
    await database.tables.$executeRaw`
      SELECT append_event(${promotionId}::uuid, 'target', jsonb_build_object('n', n, 'text', repeat('x', 4000))) FROM generate_series(1, ${count}::int) n`;
  }

  /** One that asks and then takes nothing. */
  async function stuck(address: string): Promise<IncomingMessage> {
    const request = get(address);
    request.on('error', () => undefined);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.on('error', () => undefined);
    open.push({ close: () => Promise.resolve(void response.destroy()) });
    return response;
  }

  it('gives a hundred readers everything while one takes nothing, who is cut off and goes on later', async () => {
    const [quiet, loud] = [await RecordedPromotion.make(database), await RecordedPromotion.make(database)];
    const address = await serve({ stallMs: 500, maxKept: 100 });
    await stuck(`${address}/?promotion=${loud.id}`);
    const readers = await Promise.all(Array.from({ length: 100 }, () => read(`${address}/?promotion=${quiet.id}`)));
    await Promise.all(readers.map((reader) => reader.next()));

    await chatter(loud.id, 4_000);
    await quiet.runToItsEnd();

    const heard = await Promise.all(readers.map((reader) => reader.until()));
    expect(new Set(heard.map((events) => events.map(({ name }) => name).join(' ')))).toEqual(
      new Set(['promotion target tag target promotion end']),
    );
    await until('the slow one is cut off', () => closed.includes(loud.id));
    const again = await read(`${address}/?promotion=${loud.id}`, '0');
    const all = (await again.until(({ data }) => data['n'] === 4_000)).filter(({ data }) => 'n' in data).map(({ data }) => data['n']);
    expect(all).toEqual(Array.from({ length: 4_000 }, (_, index) => index + 1));
  });

  it('reads once for all who are not far behind', async () => {
    const promotion = await RecordedPromotion.make(database);
    const reads: unknown[] = [];
    const log = new EventLog(database);
    const counting = { bounds: () => log.bounds(), read: (page: Parameters<typeof log.read>[0]) => (reads.push(page), log.read(page)) };
    const feed = new EventFeed({ log: counting, logger: silentLogger });
    const notifications = new Notifications(server.url, () => undefined);
    notifications.on('event', () => feed.wake());
    notifications.start();
    open.push({ close: () => notifications.close() });
    const address = await serve({ feed, log: counting });
    const readers = await Promise.all(Array.from({ length: 50 }, () => read(`${address}/?all`)));
    await Promise.all(readers.map((reader) => reader.next()));

    await promotion.begin();
    await Promise.all(readers.map((reader) => reader.until(({ data }) => data['state'] === 'copying')));

    expect(reads.length).toBeLessThan(10);
  });

  it('says that it is there, and ends when the key is no longer good', async () => {
    const promotion = await RecordedPromotion.make(database);
    const known = { key: true };
    const address = await serve({ heartbeatMs: 20 }, { authenticate: () => Promise.resolve(known.key ? actor : undefined) });
    const response = await stuck(`${address}/?promotion=${promotion.id}`);
    response.setEncoding('utf8');
    let text = '';
    response.on('data', (chunk: string) => (text += chunk));
    await until('it has said that it is there', () => text.includes(': still here'));

    known.key = false;

    await once(response, 'end');
    expect(text).not.toContain('event: end');
  });

  it('goes on when the key cannot be asked about', async () => {
    const promotion = await RecordedPromotion.make(database);
    const asked = { times: 0 };
    const authenticate = () => ((asked.times += 1), Promise.reject(new Error('the database is away')));
    const address = await serve({ heartbeatMs: 20 }, { authenticate });
    const reader = await read(`${address}/?promotion=${promotion.id}`);
    await reader.next();
    await until('it was asked about again', () => asked.times > 2);

    await promotion.runToItsEnd();

    expect((await reader.until()).at(-1)?.name).toBe('end');
  });

  it('keeps no place for a reader that hung up before its stream began', async () => {
    const promotion = await RecordedPromotion.make(database);
    const log = new EventLog(database);
    const promotions = new PromotionReadModel(database);
    const follow = new FollowEvents({
      ...{ log, promotions, logger: silentLogger, heartbeatMs: 60_000, stallMs: 60_000 },
      ...{ feed: new EventFeed({ log, logger: silentLogger }), progress: new ProgressFeed() },
      ...{ scopes: new PromotionScopes(promotions), readers: new Readers({ total: 1, perPrincipal: 1 }) },
    });
    const http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    const request = get(`http://127.0.0.1:${(http.address() as AddressInfo).port}`).on('error', () => undefined);
    const [, response] = (await once(http, 'request')) as [IncomingMessage, ServerResponse];
    request.destroy();
    await once(response, 'close');
    const reading = { actor, authenticate: () => Promise.resolve(actor), promotionId: promotion.id };

    await follow.follow(reading, response);
    await follow.follow(reading, response);

    await follow.close();
    http.close();
  });

  it('refuses more readers than may be, and lets others in when they are gone', async () => {
    const promotion = await RecordedPromotion.make(database);
    const address = await serve({ readers: new Readers({ total: 10, perPrincipal: 2 }) });
    const two = await Promise.all([read(`${address}/?promotion=${promotion.id}`), read(`${address}/?promotion=${promotion.id}`)]);

    await expect(read(`${address}/?promotion=${promotion.id}`)).rejects.toThrow('as many streams are open as may be by one principal: 2');
    two[0].close();
    await until('the place is free', async () => read(`${address}/?promotion=${promotion.id}`).then(Boolean, () => false));
  });
});

describe('Readers', () => {
  it('bound those of everyone together as well', () => {
    const readers = new Readers({ total: 2, perPrincipal: 2 });
    const leave = readers.enter('anna');
    readers.enter('bert');

    expect(() => readers.enter('carl')).toThrow(expect.objectContaining({ code: 'too-many-streams', retryAfterMs: 10_000 }));
    leave();
    readers.enter('carl');
  });
});
