import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { digestToBytes, parseTag } from '@waybill/oci-model';
import { manifestNamed } from '../scene.spec-helper.js';
import { type BegunPurge, beginPurge } from './purge-scene.spec-helper.js';
import { RetentionScene } from './retention-scene.spec-helper.js';

const image = manifestNamed('an image that is purged');
const child = manifestNamed('what only it lists');

describe('purges and promotions of one registry', () => {
  let scene: RetentionScene;
  let tags = 0;
  let begun: BegunPurge | undefined;
  beforeAll(async () => {
    scene = await RetentionScene.start();
    await scene.declare([]);
  });
  afterAll(() => scene.close());
  afterEach(async () => {
    if (begun !== undefined) await begun.leases.finish(begun.lease);
    begun = undefined;
    await scene.database.tables.$executeRaw`UPDATE item_target SET state = 'done', outcome = 'failed' WHERE state <> 'done'`;
  });

  const promote = () => scene.scene.request({ targets: ['prod-b'], manifest: image, tags: [parseTag(`n-${++tags}`)] });

  async function purge(registry: string): Promise<BegunPurge> {
    begun = await beginPurge(scene, { registry, digest: image.digest });
    return begun;
  }

  it.each(['ci', 'prod-b'])(
    'no promotion is accepted of what a purge is deleting from %s, until that is known to be gone',
    async (registry) => {
      const { records } = await purge(registry);
      expect(await records.intend(image.digest, [image.digest])).toMatchObject({ kind: 'intended', digests: [image.digest] });

      await expect(promote()).rejects.toMatchObject({
        code: 'being-deleted',
        retryable: true,
        details: { registry, digest: image.digest },
      });

      await records.settle(image.digest);
      await expect(promote()).resolves.toEqual(expect.any(String));
    },
  );

  it('nor of what lists that', async () => {
    const { records } = await purge('prod-b');
    await scene.database.tables.$executeRaw`
      INSERT INTO content (digest, media_type, size)
      SELECT d, 'spec', 1 FROM unnest(${[image, child].map(({ digest }) => digestToBytes(digest))}::bytea[]) AS d ON CONFLICT DO NOTHING`;
    await scene.database.tables.$executeRaw`
      INSERT INTO content_edge (parent, child, kind) VALUES (${digestToBytes(image.digest)}, ${digestToBytes(child.digest)}, 'child')`;
    await records.intend(child.digest, [child.digest]);

    await expect(promote()).rejects.toMatchObject({ code: 'being-deleted', details: { digest: child.digest } });
  });

  it('no purge deletes what a promotion needs that was accepted since it was asked for', async () => {
    const { records } = await purge('prod-b');
    const promotion = await promote();

    expect(await records.intend(image.digest, [image.digest])).toEqual({ kind: 'needed', promotion });
  });

  it('what a purge at another registry deletes keeps none', async () => {
    const { records } = await purge('prod-c');
    await records.intend(image.digest, [image.digest]);

    await expect(promote()).resolves.toEqual(expect.any(String));
  });
});
