import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Digest, Manifest, Tag } from '@waybill/oci-model';
import type { ExpectedDigest } from '@waybill/promotion';
import type { DispatchMessage } from './outbox.js';
import { type Asked, image, manifestNamed, MemoryCopier, Scene } from '../scene.spec-helper.js';

const newer = manifestNamed('a newer image');
const foreign = manifestNamed('somebody else’s image').digest;
const absent: ExpectedDigest = { kind: 'absent' };

/** A registry whose tags may move, in memory: promotions of ours write to it, and a foreign writer does. */
describe('what a tag is expected to hold', () => {
  let scene: Scene;
  let tags = 0;
  let tag: Tag;
  let registry: Map<string, Digest>;

  beforeAll(async () => {
    scene = await Scene.start();
  });

  afterAll(() => scene.close());

  beforeEach(() => {
    tags += 1;
    tag = `1.0.${tags}` as Tag;
    registry = new Map();
  });

  const held = () => registry.get(`prod-b:${tag}`);
  const foreignWriter = (digest: Digest) => registry.set(`prod-b:${tag}`, digest);

  async function request(manifest: Manifest, asked: Asked): Promise<DispatchMessage> {
    return scene.messageOf(await scene.request({ targets: ['prod-b'], tags: [tag], manifest, ...asked }));
  }

  async function run(
    message: DispatchMessage,
    manifest: Manifest,
    copier = new MemoryCopier(manifest, registry),
  ): Promise<object | undefined> {
    await scene.run(message, copier);
    const { items } = await scene.promotion(message.promotionId);
    return items[0]?.targets[0];
  }

  /** A release of ours that is requested and written. */
  async function release(manifest: Manifest, expected: ExpectedDigest): Promise<void> {
    await run(await request(manifest, { expected }), manifest);
    expect(held()).toBe(manifest.digest);
  }

  it('is what an earlier release of ours has written since', async () => {
    const earlier = await request(image, { expected: absent });
    const later = await request(newer, { expected: absent });
    await run(earlier, image);

    expect(await run(later, newer)).toMatchObject({ outcome: 'copied' });
    expect(held()).toBe(newer.digest);
  });

  it('is what an earlier release of ours has written while the tag was read for the request', async () => {
    const later = await request(newer, { expected: absent, meanwhile: () => release(image, absent) });

    expect(await run(later, newer)).toMatchObject({ outcome: 'copied' });
    expect(held()).toBe(newer.digest);
  });

  it('is not what ours wrote before, when a foreign writer puts that back', async () => {
    await release(image, absent);
    foreignWriter(foreign);
    const later = await request(newer, { expected: { kind: 'digest', digest: foreign } });
    foreignWriter(image.digest);

    expect(await run(later, newer)).toMatchObject({
      outcome: 'conflict',
      error: { code: 'tag-moved' },
      tags: [{ outcome: 'conflict' }],
    });
    expect(held()).toBe(image.digest);
  });

  it('is not what ours wrote before the target was first reachable, when a foreign writer puts that back', async () => {
    const earlier = await request(image, { expected: absent });
    const later = await request(newer, { expected: { kind: 'unknown' } });
    await run(earlier, image);
    foreignWriter(foreign);
    const unreachable = new MemoryCopier(newer, registry);
    unreachable.putTargetTag = () => Promise.reject(new Error('the target went away'));
    await run(later, newer, unreachable);
    foreignWriter(image.digest);
    await scene.database.tables.$executeRaw`UPDATE tag_order SET lease_expires_at = now() WHERE tag = ${tag}`;
    await scene.redispatch(later.promotionId);

    expect(await run(await scene.messageOf(later.promotionId), newer)).toMatchObject({ outcome: 'conflict', error: { code: 'tag-moved' } });
    expect(held()).toBe(image.digest);
  });
});
