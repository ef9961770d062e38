import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { everything } from '@waybill/access';
import type { AcceptedPromotion, Promotion } from '@waybill/contracts/http';
import { Database } from '@waybill/persistence';
import { allBut, type Answer, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import { applyRelease, promotionOf, type RegistryUnderTest, startRegistry } from '../../registries-under-test.spec-helper.js';

const path = '/api/v1/promotions';
const unknown = '01900000-0000-7000-8000-000000000000';

describe('decisions about a promotion', () => {
  let api: ApiUnderTest;
  let source: RegistryUnderTest;
  let target: RegistryUnderTest;

  beforeAll(async () => {
    [api, source, target] = await Promise.all([startApi(), startRegistry(), startRegistry()]);
    await source.push('team-a/app', '1.0.0');
    await applyRelease(api, { 'ci-snapshots': source.url, prod: target.url, 'prod-us': target.url });
  });
  afterAll(async () => {
    await Promise.all([api.stop(), source.stop(), target.stop()]);
  });

  async function requested(): Promise<string> {
    const answer = await api.post(path, promotionOf());
    if (answer.status !== 202) throw new Error(answer.text);
    return (answer.body as AcceptedPromotion).id;
  }

  const cancel = (id: string, body: unknown = {}, key?: string) =>
    api.send('POST', `${path}/${id}/cancel`, { body, ...(key === undefined ? {} : { key }) });
  const shown = (answer: Answer) => answer.body as Promotion;

  describe('POST /api/v1/promotions/ID/cancel', () => {
    it('stops it, and shows who wanted that and what is left of it', async () => {
      const id = await requested();

      const answer = await cancel(id, { reason: 'the wrong version' });

      expect(answer.status).toBe(202);
      expect(answer.headers.get('location')).toBe(`${path}/${id}`);
      expect(shown(answer)).toMatchObject({
        id,
        state: 'cancelled',
        settled: true,
        cancellation: { reason: 'the wrong version', stops: 'everything', tagsWritten: [] },
        items: [{ targets: [{ outcome: 'cancelled', error: { code: 'cancelled' } }, { outcome: 'cancelled' }] }],
      });
      expect(shown(await api.send('GET', `${path}/${id}`))).toEqual(shown(answer));
    });

    it('is the same a second time, without a body too', async () => {
      const id = await requested();
      const first = await cancel(id, { reason: 'once' });

      const second = await api.send('POST', `${path}/${id}/cancel`);

      expect(second.status).toBe(202);
      expect(shown(second)).toEqual(shown(first));
    });

    it('names the tags that stay', async () => {
      const id = await requested();
      await api.app.get(Database).tables.$executeRaw`
        UPDATE item_target_tag g SET outcome = 'written' FROM item_target t JOIN registry r ON r.id = t.registry_id
        WHERE t.id = g.item_target_id AND t.promotion_id = ${id}::uuid AND r.name = 'prod'`;

      expect(shown(await cancel(id))).toMatchObject({
        state: 'partial',
        cancellation: { stops: 'the-rest', tagsWritten: [{ registry: 'prod', repository: 'team-a/app', tag: '1.0.0' }] },
      });
    });

    it('refuses what has ended', async () => {
      const id = await requested();
      await api.app.get(Database).tables.$executeRaw`
        UPDATE item_target SET state = 'done', outcome = 'copied' WHERE promotion_id = ${id}::uuid`;

      expect(problemIn(await cancel(id))).toMatchObject({ status: 409, code: 'promotion-finished' });
    });

    it.each([
      ['an unknown id', unknown],
      ['no id', 'nothing'],
    ])('does not find %s', async (_what, id) => {
      expect(problemIn(await cancel(id))).toMatchObject({ status: 404, code: 'promotion-unknown' });
    });

    it('says what is wrong with a body', async () => {
      const id = await requested();

      expect(problemIn(await cancel(id, { why: 'so' }))).toMatchObject({ status: 422, errors: [{ pointer: '/why' }] });
      expect(shown(await api.send('GET', `${path}/${id}`)).state).toBe('requested');
    });

    it('refuses who may not: without the verb, of another path, of another repository', async () => {
      const id = await requested();
      const keys = [
        await api.keyWith(allBut('promotions:cancel')),
        await api.keyWith([...allBut('promotions:cancel'), { verbs: ['promotions:cancel'], paths: ['other'], repositories: ['**'] }]),
        await api.keyWith([...allBut('promotions:cancel'), { verbs: ['promotions:cancel'], paths: ['*'], repositories: ['team-b/**'] }]),
      ];

      for (const key of keys) expect(problemIn(await cancel(id, {}, key))).toMatchObject({ status: 403, code: 'forbidden' });
      expect(shown(await api.send('GET', `${path}/${id}`)).state).toBe('requested');
    });

    it('tells nobody of a promotion that they may not read', async () => {
      const key = await api.keyWith(everything.map((grant) => ({ ...grant, repositories: ['team-b/**'] })));

      expect(problemIn(await cancel(await requested(), {}, key))).toMatchObject({ status: 404, code: 'promotion-unknown' });
    });
  });

  describe('POST /api/v1/promotions/ID/retry', () => {
    const retry = (id: string, more: Parameters<ApiUnderTest['post']>[2] = {}) =>
      api.post(`${path}/${id}/retry`, { reason: 'mended' }, more);

    async function cancelled(): Promise<string> {
      const id = await requested();
      await cancel(id);
      return id;
    }

    it('takes it up again, once for one key', async () => {
      const id = await cancelled();
      const headers = { 'idempotency-key': 'retry-once' };

      const first = await retry(id, { headers });
      const second = await retry(id, { headers });

      expect(first.status).toBe(202);
      expect(first.headers.get('location')).toBe(`${path}/${id}`);
      expect(shown(first)).toMatchObject({ id, state: 'requested', settled: false });
      expect(shown(first)).not.toHaveProperty('cancellation');
      expect(second.text).toBe(first.text);
      expect(problemIn(await retry(id))).toMatchObject({ status: 409, code: 'promotion-unfinished' });
    });

    it('needs a key', async () => {
      expect(problemIn(await api.send('POST', `${path}/${await cancelled()}/retry`, { body: {} }))).toMatchObject({
        code: 'idempotency-key-missing',
      });
    });

    it('refuses a promotion that has all it wanted', async () => {
      const id = await cancelled();
      await api.app.get(Database).tables.$executeRaw`UPDATE item_target SET outcome = 'conflict' WHERE promotion_id = ${id}::uuid`;

      expect(problemIn(await retry(id))).toMatchObject({
        status: 409,
        code: 'nothing-to-retry',
        detail: expect.stringContaining('conflict at prod'),
      });
    });

    it('refuses who may not, and tells them nothing of what they may not read', async () => {
      const id = await cancelled();
      const blind = await api.keyWith(everything.map((grant) => ({ ...grant, repositories: ['team-b/**'] })));

      expect(problemIn(await retry(id, { key: await api.keyWith(allBut('promotions:retry')) }))).toMatchObject({ status: 403 });
      expect(problemIn(await retry(id, { key: blind }))).toMatchObject({ status: 404, code: 'promotion-unknown' });
    });
  });
});
