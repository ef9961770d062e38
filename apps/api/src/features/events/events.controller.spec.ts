import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type CopyProgress, eventData, type EventName } from '@waybill/contracts/http';
import { Database, EventLog, sendProgress } from '@waybill/persistence';
import { createMigratedDatabase, type TestDatabase, until } from '@waybill/testing';
import { allBut, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import { applyRelease } from '../../registries-under-test.spec-helper.js';
import { EventReader, type Opening, type ReadEvent } from '../../event-reader.spec-helper.js';
import { RecordedPromotion } from './recorded-promotion.spec-helper.js';

const nowhere = '01a20000-0000-7000-8000-000000000000';

describe('events', () => {
  let server: TestDatabase;
  let database: Database;
  let api: ApiUnderTest;
  const readers: EventReader[] = [];

  beforeAll(async () => {
    server = await createMigratedDatabase();
    database = new Database(server.url);
    api = await startApi({ databaseUrl: server.url });
  });
  afterEach(() => {
    for (const reader of readers.splice(0)) reader.close();
  });
  afterAll(async () => {
    await api.stop();
    await database.close();
    await server.drop();
  });

  async function read(path: string, opening: Partial<Opening> = {}, from = api): Promise<EventReader> {
    const reader = await EventReader.open(`${from.url}/api/v1${path}`, { key: api.adminKey, ...opening });
    readers.push(reader);
    return reader;
  }

  const record = (facts: { readonly path?: string; readonly repository?: string } = {}) => RecordedPromotion.make(database, facts);
  const told = ({ name, data }: ReadEvent) => {
    const word = data['state'] ?? data['outcome'];
    return typeof word === 'string' ? `${name} ${word}` : name;
  };

  it('begin with where they begin, and go on to the end of the promotion', async () => {
    const promotion = await record();
    const reader = await read(`/promotions/${promotion.id}/events`);
    expect((await reader.next())?.name).toBe('position');

    await promotion.runToItsEnd();
    const events = await reader.until();

    expect(events.map(told)).toEqual(['promotion running', 'target copying', 'tag written', 'target done', 'promotion succeeded', 'end']);
    for (const { name, data } of events) expect(eventData[name as EventName].safeParse(data)).toMatchObject({ success: true });
  });

  it('end at once for a promotion that has ended, and tell again what is asked for', async () => {
    const promotion = await record();
    await promotion.runToItsEnd();

    expect((await (await read(`/promotions/${promotion.id}/events`)).until()).map(told)).toEqual(['position', 'end']);
    const all = await (await read(`/promotions/${promotion.id}/events?after=0`)).until();
    expect(all.map(told)).toEqual([
      ...['position', 'promotion requested', 'promotion running', 'target copying', 'tag written', 'target done', 'promotion succeeded'],
      'end',
    ]);
  });

  it('go on after the last one that a reader has got, which its header knows best', async () => {
    const promotion = await record();
    const first = await read(`/promotions/${promotion.id}/events`);
    await first.next();
    await promotion.begin();
    const begun = await first.until(({ data }) => data['state'] === 'copying');
    first.close();
    await promotion.finish();

    const rest = await read(`/promotions/${promotion.id}/events?after=0`, { lastEventId: first.lastEventId });

    expect(begun.map(told)).toEqual(['promotion running', 'target copying']);
    expect((await rest.until()).map(told)).toEqual(['position', 'tag written', 'target done', 'promotion succeeded', 'end']);
  });

  it('tell no promotion of another one', async () => {
    const [one, other] = [await record(), await record()];
    const reader = await read(`/promotions/${one.id}/events`);
    await other.runToItsEnd();
    await one.runToItsEnd();

    const ids = (await reader.until()).flatMap(({ data }) => (data['promotionId'] === undefined ? [] : [data['promotionId']]));

    expect(new Set(ids)).toEqual(new Set([one.id]));
  });

  it.each(['unknown', nowhere, '%00'])('are not there for the promotion %j', async (id) => {
    expect(problemIn(await api.send('GET', `/api/v1/promotions/${id}/events`))).toMatchObject({ status: 404, code: 'promotion-unknown' });
  });

  it('are not there for whoever may not read the promotion, and need the verb', async () => {
    const promotion = await record({ repository: 'team-b/app' });
    const ofTeamA = await api.keyWith([{ verbs: ['promotions:read'], paths: ['*'], repositories: ['team-a/**'] }]);
    const writer = await api.keyWith(allBut('promotions:read'));

    expect(problemIn(await api.send('GET', `/api/v1/promotions/${promotion.id}/events`, { key: ofTeamA }))).toMatchObject({ status: 404 });
    for (const path of ['events', `promotions/${promotion.id}/events`]) {
      expect(problemIn(await api.send('GET', `/api/v1/${path}`, { key: writer }))).toMatchObject({ status: 403, code: 'forbidden' });
    }
  });

  it('of all promotions are those that the key may read', async () => {
    const ofTeamA = await api.keyWith([{ verbs: ['promotions:read'], paths: ['release'], repositories: ['team-a/**'] }]);
    const reader = await read('/events', { key: ofTeamA });
    await reader.next();
    await record({ repository: 'team-b/app' });
    await record({ path: 'other' });
    const visible = await record({ repository: 'team-a/app' });

    expect((await reader.next())?.data).toMatchObject({ promotionId: visible.id, path: 'release', state: 'requested' });
  });

  it('of all promotions can be had by path and by state', async () => {
    await applyRelease(api, {});
    const [ofPath, ofState] = [await read('/events?path=release'), await read('/events?state=succeeded')];
    await Promise.all([ofPath.next(), ofState.next()]);
    await record({ path: 'hotfix' });
    const release = await record({ path: 'release' });
    await release.runToItsEnd();

    expect((await ofPath.next())?.data).toMatchObject({ promotionId: release.id });
    expect(await ofState.next()).toMatchObject({ name: 'promotion', data: { promotionId: release.id, state: 'succeeded' } });
  });

  it.each(['after=x', 'after=-1', 'state=gone', 'surprise=1'])('are refused for ?%s', async (query) => {
    expect(problemIn(await api.send('GET', `/api/v1/events?${query}`))).toMatchObject({ status: 422, code: 'request-invalid' });
  });

  it('are refused to a reader that says something else than where it stood', async () => {
    for (const path of ['/api/v1/events', `/api/v1/promotions/${(await record()).id}/events`]) {
      const headers = { authorization: `Bearer ${api.adminKey}`, 'last-event-id': 'garbage' };
      const response = await fetch(`${api.url}${path}`, { headers });
      expect(await response.json()).toMatchObject({
        status: 422,
        code: 'request-invalid',
        detail: expect.stringContaining('Last-Event-ID'),
      });
    }
  });

  it('are not there for a path that the topology does not have, whose near names are told as far as they may be read', async () => {
    await applyRelease(api, {});
    const ofHotfix = await api.keyWith([{ verbs: ['promotions:read'], paths: ['hotfix'], repositories: ['**'] }]);

    const unknown = { status: 404, code: 'path-unknown' };
    expect(problemIn(await api.send('GET', '/api/v1/events?path=relase'))).toMatchObject({ ...unknown, near: ['release'] });
    expect(problemIn(await api.send('GET', '/api/v1/events?path=relase', { key: ofHotfix }))).not.toHaveProperty('near');
  });

  it('tell of bytes under way, without an id, to those who follow the promotion', async () => {
    const [promotion, other] = [await record(), await record()];
    const reader = await read(`/promotions/${promotion.id}/events`);
    await reader.next();
    const progress = (promotionId: string): CopyProgress => ({ promotionId, location: 'eu', blobs: [], targets: [] });

    await sendProgress(database, ['no JSON', '{}', JSON.stringify(progress(other.id)), JSON.stringify(progress(promotion.id))]);

    expect(await reader.next()).toEqual({ name: 'progress', id: undefined, data: progress(promotion.id) });
  });

  it('say that a reader must look anew when what it has missed is forgotten, or was never there', async () => {
    const promotion = await record();
    await database.tables.$executeRaw`UPDATE event SET occurred_at = now() - interval '8 days'`;
    await promotion.begin();
    await new EventLog(database).purge();
    const { latest } = await new EventLog(database).bounds();

    for (const after of [1n, latest + 1n]) {
      const reader = await read(`/promotions/${promotion.id}/events?after=${after}`);
      expect(await reader.next()).toEqual({ name: 'reset', id: String(latest), data: { position: String(latest) } });
    }
    const fresh = await read(`/promotions/${promotion.id}/events?after=${latest}`);
    expect((await fresh.next())?.name).toBe('position');
  });

  it('reach a reader once each, although the api ends again and again', async () => {
    const promotion = await record();
    const changes = 40;
    const running = { api: await startApi({ databaseUrl: server.url }) };
    const seen: ReadEvent[] = [];
    const { latest } = await new EventLog(database).bounds();
    const reading = (async () => {
      let lastEventId: string | undefined = String(latest);
      do {
        const address = `${running.api.url}/api/v1/promotions/${promotion.id}/events`;
        const reader: EventReader | undefined = await EventReader.open(address, { key: api.adminKey, lastEventId }).catch(() => undefined);
        if (reader === undefined) continue;
        readers.push(reader);
        seen.push(...(await reader.until()));
        lastEventId = reader.lastEventId;
      } while (seen.at(-1)?.name !== 'end');
    })();

    for (let change = 1; change <= changes; change += 1) {
      await promotion.change(`location-${change}`);
      if (change % 20 !== 0) continue;
      const before = running.api;
      running.api = await startApi({ databaseUrl: server.url });
      before.app.getHttpServer().closeAllConnections();
      await before.stop();
    }
    await promotion.runToItsEnd();
    await reading;
    await running.api.stop();

    const locations = seen.filter(({ name }) => name === 'target').map(({ data }) => data['location']);
    expect(locations.slice(0, changes)).toEqual(Array.from({ length: changes }, (_, change) => `location-${change + 1}`));
    const ids = seen.filter(({ name }) => name !== 'position' && name !== 'end').map(({ id }) => Number(id));
    expect(ids).toEqual([...new Set(ids)].sort((one, other) => one - other));
  });

  it('are counted while they are open', async () => {
    const counting = await startApi({ databaseUrl: server.url });
    const counted = async () => /^waybill_event_streams_open (\d+)$/m.exec((await counting.send('GET', '/metrics')).text)?.[1];
    expect(await counted()).toBe('0');
    const [first, second] = [await read('/events', {}, counting), await read('/events', {}, counting)];
    await Promise.all([first.next(), second.next()]);

    expect(await counted()).toBe('2');
    first.close();
    await until('the reader that is gone is not counted', async () => (await counted()) === '1');

    await counting.stop();
  });

  it('do not keep an api from ending', async () => {
    const promotion = await record();
    const ending = await startApi({ databaseUrl: server.url });
    const reader = await read(`/promotions/${promotion.id}/events`, {}, ending);
    await reader.next();

    await ending.stop();

    expect(await reader.next()).toBeUndefined();
  });
});
