import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import type { AcceptedPromotion } from '@waybill/contracts/http';
import { buildImage, startScriptedServer } from '@waybill/testing';
import { type Answer, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import { applyRelease, locate, promotionOf, type RegistryUnderTest, startRegistry } from '../../registries-under-test.spec-helper.js';

const path = '/api/v1/promotions';

describe('a repeated POST /api/v1/promotions', () => {
  let api: ApiUnderTest;
  let source: RegistryUnderTest;

  beforeAll(async () => {
    [api, source] = await Promise.all([startApi({ config: { registryDeadlineMs: 30_000 } }), startRegistry()]);
    await source.push('team-a/app', '1.0.0');
    await applyRelease(api, { 'ci-snapshots': source.url, prod: source.url, 'prod-us': source.url });
  });
  afterAll(async () => {
    await Promise.all([api.stop(), source.stop()]);
  });

  const ask = (key: string, body: unknown = promotionOf(), sending: { key?: string } = {}): Promise<Answer> =>
    api.post(path, body, { ...sending, headers: { 'idempotency-key': key } });

  it('gets the first answer, byte for byte, with its Location, and makes nothing new', async () => {
    const body = promotionOf(undefined, { reason: 'ünïcode', labels: { b: '2', a: '1' } });
    const first = await ask('again', body);
    await source.push('team-a/app', '1.0.0', 2); // another digest would be pinned if it were resolved again
    const second = await ask('again', body);

    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.text).toBe(first.text);
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'));
    const { promotions } = (await api.send('GET', path)).body as { promotions: { reason?: string }[] };
    expect(promotions.filter(({ reason }) => reason === 'ünïcode')).toHaveLength(1);
  });

  it('is the same request whatever the order of its fields', async () => {
    const { path: name, items } = promotionOf();
    const first = await ask('order', { path: name, items });

    expect((await ask('order', { items, path: name })).text).toBe(first.text);
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['without a key', { 'idempotency-key': '' }],
    ['with a space in it', { 'idempotency-key': 'a b' }],
    ['with two keys', { 'idempotency-key': 'a, b' }],
    ['with a key that is too long', { 'idempotency-key': 'x'.repeat(256) }],
  ])('is refused %s', async (_title, headers) => {
    expect(problemIn(await api.post(path, promotionOf(), { headers }))).toMatchObject({ status: 400, code: 'idempotency-key-missing' });
  });

  it('is refused when the header is absent', async () => {
    expect(problemIn(await api.send('POST', path, { body: promotionOf() }))).toMatchObject({
      status: 400,
      code: 'idempotency-key-missing',
    });
  });

  it('is refused with another body', async () => {
    await ask('reused');

    const other = await ask('reused', promotionOf(undefined, { reason: 'other' }));

    expect(problemIn(other)).toMatchObject({ status: 422, code: 'idempotency-key-reused' });
  });

  it('is refused while the first is being handled', async () => {
    const { manifest } = buildImage();
    const gate = new EventEmitter();
    const opened = once(gate, 'open');
    const begun = once(gate, 'begun');
    const slow = await startScriptedServer(async (_request, response) => {
      gate.emit('begun');
      await opened;
      response.writeHead(200, { 'content-type': manifest.mediaType }).end(manifest.bytes);
    });
    await locate(api, 'ci-snapshots', slow.origin);
    try {
      const wanted = promotionOf('ci-snapshots/team-a/app:3.0.0');
      const first = ask('in-flight', wanted);
      await begun;
      const second = await ask('in-flight', wanted);
      const other = await ask('in-flight', promotionOf(undefined, { reason: 'other' }));
      gate.emit('open');

      expect(problemIn(second)).toMatchObject({ status: 409, code: 'request-in-flight' });
      expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(problemIn(other)).toMatchObject({ status: 422, code: 'idempotency-key-reused' });
      expect((await first).status).toBe(202);
      expect((await ask('in-flight', wanted)).text).toBe((await first).text);
    } finally {
      gate.emit('open');
      await locate(api, 'ci-snapshots', source.url);
      await slow.stop();
    }
  });

  it('is handled once when many come at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask('at-once', promotionOf(undefined, { reason: 'at once' }))));

    const accepted = answers.filter(({ status }) => status === 202);
    expect(new Set(accepted.map(({ text }) => text)).size).toBe(1);
    for (const refused of answers.filter(({ status }) => status !== 202)) expect(problemIn(refused).code).toBe('request-in-flight');
    const { promotions } = (await api.send('GET', path)).body as { promotions: { reason?: string }[] };
    expect(promotions.filter(({ reason }) => reason === 'at once')).toHaveLength(1);
  });

  it('is its own for every principal', async () => {
    const grants = [{ verbs: ['promotions:create'], paths: ['*'], repositories: ['**'] }] as const;
    const [one, other] = [await api.keyWith(grants), await api.keyWith(grants)];

    const [first, second] = [await ask('shared', promotionOf(), { key: one }), await ask('shared', promotionOf(), { key: other })];

    expect((first.body as AcceptedPromotion).id).not.toBe((second.body as AcceptedPromotion).id);
  });

  it('is the same for two keys of one principal', async () => {
    const grants = [{ verbs: ['promotions:create'], paths: ['*'], repositories: ['**'] }] as const;
    const [one, other] = [await api.keyWith(grants, { subject: 'pipeline' }), await api.keyWith(grants, { subject: 'pipeline' })];

    const [first, second] = [await ask('rotated', promotionOf(), { key: one }), await ask('rotated', promotionOf(), { key: other })];

    expect(second.text).toBe(first.text);
  });

  it('is its own for every route', async () => {
    await ask('of-a-route');
    const grants = [{ verbs: ['promotions:read'], paths: ['*'], repositories: ['**'] }];

    const created = await api.post('/api/v1/keys', { subject: 'x', grants }, { headers: { 'idempotency-key': 'of-a-route' } });

    expect(created.status).toBe(201);
  });

  it('is still authorised, though its answer is known', async () => {
    const all = [{ verbs: ['promotions:create'], paths: ['*'], repositories: ['**'] }] as const;
    const none = [{ verbs: ['promotions:create'], paths: ['other'], repositories: ['**'] }] as const;
    const one = await api.keyWith(all, { subject: 'demoted' });
    const other = await api.keyWith(none, { subject: 'demoted' });
    await ask('demoted', promotionOf(), { key: one });

    expect(problemIn(await ask('demoted', promotionOf(), { key: other }))).toMatchObject({ status: 403, code: 'forbidden' });
  });

  it('may be mended and repeated with the same key after a refusal', async () => {
    expect(problemIn(await ask('mended', promotionOf('ci-snapshots/team-a/app:9.9.9')))).toMatchObject({ status: 404 });

    expect((await ask('mended', promotionOf())).status).toBe(202);
  });
});
