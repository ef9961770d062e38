import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { ContentError, type Digest, type Tag } from '@waybill/oci-model';
import type { Registry } from '@waybill/topology';
import { IdempotencyKeys, type StoredAnswer } from '../access/idempotency-keys.js';
import type { PromotionDetail } from '../promotions/promotion.read-model.js';
import { type Asked, image, manifestNamed, MemoryCopier, oneTag, Scene, topology } from '../scene.spec-helper.js';
import { PromotionControl } from './promotion-control.js';

const denied = new ContentError('the registry refuses', { code: 'denied', operation: 'copy' });

/** Registries that refuse what they are sent. */
function refusing(copier = new MemoryCopier()): MemoryCopier {
  copier.verify = () => Promise.reject(denied);
  return copier;
}

describe('PromotionControl.retry', () => {
  let scene: Scene;
  let control: PromotionControl;
  let count = 0;

  beforeAll(async () => {
    scene = await Scene.start();
    control = new PromotionControl(scene.database);
  });
  afterAll(() => scene.close());

  let tag: Tag;
  beforeEach(() => {
    tag = `${++count}.0.0` as Tag;
  });

  const answerOf = ({ id, state }: PromotionDetail): StoredAnswer => ({ status: 202, headers: {}, body: { id, state } });

  async function retry(promotionId: string, reason = 'mended'): Promise<StoredAnswer | undefined> {
    const request = { principalId: scene.principalId, route: 'POST /retry', key: uuidV7.next(), hash: new Uint8Array(32) };
    const claim = await new IdempotencyKeys(scene.database).claim(request);
    if (claim.claim !== 'ours') throw new Error(`the claim is ${claim.claim}`);
    return control.retry(promotionId, { by: scene.principalId, reason }, { request, token: claim.token, answerOf });
  }

  const request = (asked: Asked = {}) => scene.request({ tags: [tag], targets: ['prod'], ...asked });

  async function failed(asked: Asked = {}): Promise<string> {
    const id = await request(asked);
    await scene.run(await scene.messageOf(id), refusing());
    expect((await scene.promotion(id)).state).toBe('failed');
    return id;
  }

  async function dispatch(promotionId: string, location = 'eu') {
    return scene.database.tables.dispatch.findUniqueOrThrow({ where: { promotionId_location: { promotionId, location } } });
  }

  it('takes up what failed, as it was accepted, and brings it to its end with one row per effect', async () => {
    const id = await failed();
    const before = await scene.promotion(id);
    const { number } = await dispatch(id);

    expect(await retry(id)).toMatchObject({ status: 202, body: { id, state: 'requested' } });
    const reopened = await scene.promotion(id);
    expect(reopened).toMatchObject({ state: 'requested', finishedAt: null });
    expect(reopened.items[0]?.targets[0]).toMatchObject({ state: 'pending', outcome: null, attempts: 0, error: null, finishedAt: null });
    expect(reopened.items[0]?.targets[0]?.tags).toEqual(before.items[0]?.targets[0]?.tags);
    expect((await dispatch(id)).number).toBe(number + 1n);

    await scene.run(await scene.messageOf(id), new MemoryCopier());

    expect(await scene.promotion(id)).toMatchObject({ state: 'succeeded', items: [{ targets: [{ outcome: 'copied', attempts: 1 }] }] });
    const effects = await scene.database.tables.effect.findMany({ where: { promotionId: id }, include: { record: true } });
    expect(
      effects
        .filter(({ outcome }) => outcome === 'written')
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(['manifest', 'tag']);
    expect(effects.every(({ record }) => record !== null)).toBe(true);
  });

  it('records who wanted it, and for what', async () => {
    const id = await failed();

    await retry(id, 'the disk was full');

    const records = await scene.database.tables.provenanceRecord.findMany({ where: { promotionId: id }, orderBy: { id: 'asc' } });
    expect(records.at(-1)?.body).toEqual({
      decision: 'retry-requested',
      requestedBy: scene.principalId,
      reason: 'the disk was full',
      targets: [{ registry: 'prod', repository: 'team-a/app' }],
    });
  });

  it('sends again what was read back as never written, as another effect', async () => {
    const id = await request();
    const lost = new MemoryCopier();
    lost.putTargetTag = () => Promise.reject(denied);
    await scene.run(await scene.messageOf(id), lost);
    expect((await scene.promotion(id)).state).toBe('failed');

    await retry(id);
    await scene.database.tables.$executeRaw`UPDATE tag_order SET lease_expires_at = now()`; // which outlives a write whose answer was lost
    lost.putTargetTag = new MemoryCopier(image, lost.tags).putTargetTag;
    await scene.run(await scene.messageOf(id), lost);

    expect((await scene.promotion(id)).state).toBe('succeeded');
    const tags = await scene.database.tables.effect.findMany({ where: { promotionId: id, kind: 'tag' }, orderBy: { intendedAt: 'asc' } });
    expect(tags.map(({ state, outcome }) => [state, outcome])).toEqual([
      ['settled', 'not-written'],
      ['settled', 'written'],
    ]);
  });

  it('takes up what was cancelled, and the cancellation back', async () => {
    const id = await request();
    await control.cancel(id, { by: scene.principalId });

    await retry(id);
    await scene.run(await scene.messageOf(id), new MemoryCopier());

    expect(await scene.promotion(id)).toMatchObject({ state: 'succeeded', cancellation: null });
  });

  it('leaves what has arrived, and makes partial succeeded', async () => {
    const id = await request({ targets: ['prod', 'prod-b'] });
    const half = new MemoryCopier();
    const { verify } = half;
    half.verify = (item, target, blobs, signal) =>
      target.registry === 'prod-b' ? Promise.reject(denied) : verify(item, target, blobs, signal);
    await scene.run(await scene.messageOf(id), half);
    expect((await scene.promotion(id)).state).toBe('partial');

    expect(await retry(id)).toMatchObject({ body: { state: 'running' } });
    half.verify = verify;
    const copied: string[] = [];
    const { copy } = half;
    half.copy = (item, targets, options) => {
      copied.push(...targets.map(({ registry }) => registry));
      return copy(item, targets, options);
    };
    await scene.run(await scene.messageOf(id), half);

    expect(copied).toEqual(['prod-b']);
    expect((await scene.promotion(id)).state).toBe('succeeded');
  });

  it('takes up a failed replica of a promotion that has succeeded, which stays so', async () => {
    const id = await request({ targets: ['prod', 'prod-us'] });
    const messages = (await scene.takeMessages()).filter(({ promotionId }) => promotionId === id);
    for (const message of messages) await scene.run(message, message.location === 'us' ? refusing() : new MemoryCopier());
    const { finishedAt } = await scene.promotion(id);

    await retry(id);
    await scene.run(await scene.messageOf(id, 'us'), new MemoryCopier());

    const after = await scene.promotion(id);
    expect(after).toMatchObject({ state: 'succeeded', finishedAt });
    expect(after.items[0]?.targets.map(({ outcome }) => outcome)).toEqual(['copied', 'copied']);
  });

  it('ends superseded where a newer release has written since', async () => {
    const older = await failed({ targets: ['prod-b'] });
    const newer = manifestNamed('newer');
    const tags = new Map<string, Digest>();
    const id = await request({ targets: ['prod-b'], manifest: newer });
    await scene.run(await scene.messageOf(id), new MemoryCopier(newer, tags));

    await retry(older);
    await scene.run(await scene.messageOf(older), new MemoryCopier(image, tags));

    expect((await scene.promotion(older)).state).toBe('superseded');
    expect(tags.get(`prod-b:${tag}`)).toBe(newer.digest);
  });

  it('refuses what is under way, and what has nothing to be tried again', async () => {
    const id = await request();
    await expect(retry(id)).rejects.toMatchObject({ code: 'promotion-unfinished' });

    await scene.run(await scene.messageOf(id), new MemoryCopier());

    await expect(retry(id)).rejects.toMatchObject({ code: 'nothing-to-retry' });
  });

  it('refuses while a cancelled run is still ending', async () => {
    const id = await request({ targets: ['prod', 'prod-us'] });
    const messages = await scene.takeMessages();
    const us = messages.find((message) => message.promotionId === id && message.location === 'us');
    if (us === undefined) throw new Error('there is nothing to do in the US');
    await scene.claim(us);
    await control.cancel(id, { by: scene.principalId });
    expect((await scene.promotion(id)).state).toBe('cancelled');

    await expect(retry(id)).rejects.toMatchObject({ code: 'promotion-unfinished' });
  });

  it('refuses a conflict, and says what to do', async () => {
    const id = await request();
    const taken = new MemoryCopier(image, new Map([[`prod:${tag}`, manifestNamed('foreign').digest]]));
    await scene.run(await scene.messageOf(id), taken);

    await expect(retry(id)).rejects.toMatchObject({
      code: 'nothing-to-retry',
      message: expect.stringContaining('request a new promotion'),
    });
  });

  it('does nothing when its claim was taken over', async () => {
    const id = await failed();
    const request = { principalId: scene.principalId, route: 'POST /retry', key: uuidV7.next(), hash: new Uint8Array(32) };

    const answer = await control.retry(id, { by: scene.principalId }, { request, token: uuidV7.next(), answerOf });

    expect(answer).toBeUndefined();
    expect((await scene.promotion(id)).state).toBe('failed');
  });

  it('keeps the tickets of all tags', async () => {
    const id = await failed({ tags: [tag, `${tag}-x` as Tag, oneTag] });
    const tickets = () =>
      scene.database.tables.itemTargetTag.findMany({ where: { itemTarget: { promotionId: id } }, orderBy: { tag: 'asc' } });
    const before = await tickets();

    await retry(id);

    expect(await tickets()).toEqual(before);
  });

  it('refuses what the topology has no more: the path, or the registry', async () => {
    const id = await failed();
    await scene.apply({ ...topology, paths: {} });
    await expect(retry(id)).rejects.toMatchObject({ code: 'path-removed' });

    const prod: Registry = {
      ...{ name: 'prod', role: 'prod', location: 'eu', insecure: false, immutableTags: { kind: 'all' } },
      url: 'http://127.0.0.1:1',
    };
    await scene.apply({ ...topology, registries: { ...topology.registries, prod } });
    await expect(retry(id)).rejects.toMatchObject({ code: 'registry-replaced' });
    await scene.apply(topology);
    expect((await scene.promotion(id)).state).toBe('failed');
  });
});
