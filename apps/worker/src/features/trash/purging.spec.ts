import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { type Digest, digestToBytes, isReservedTag, parseRepositoryName, parseTag, type RepositoryName } from '@waybill/oci-model';
import { TrashRequests } from '@waybill/persistence';
import { buildCosignTag, buildImage, buildIndex, buildReferrer, describeWith, pushBuilt } from '@waybill/testing';
import { requiredAt } from '../../recorded-promotions.spec-helper.js';
import { app, TrashScene, trashOfApp } from './trash-scene.spec-helper.js';

const tag = parseTag('1.0.0');
const shared = buildImage({ seed: 51 });
const own = buildImage({ seed: 52 });
const leaked = buildIndex([shared, own]);
const kept = buildIndex([shared, buildImage({ seed: 53 })]);
const signature = buildReferrer(own, { seed: 54 });
const remark = buildReferrer(signature, { seed: 55 });
const cosign = buildCosignTag(leaked);
const [root, sharedDigest, ownDigest] = [leaked.manifest.digest, shared.manifest.digest, own.manifest.digest];

describeWith('docker-registry', 'a purge', () => {
  let scene: TrashScene;
  beforeEach(async () => {
    scene = await TrashScene.open();
    const store = scene.repository(app);
    for (const built of [leaked, kept, signature, remark, cosign.content]) await pushBuilt(store, built);
    await store.putTag(tag, leaked.manifest);
    await store.putTag(cosign.tag, cosign.content.manifest);
    await store.putTag(parseTag('kept'), kept.manifest);
  });
  afterEach(() => scene.close());

  const has = (digest: Digest, name = app) => scene.repository(name).hasManifest(digest);
  const manyHave = (digests: readonly Digest[], name = app) => Promise.all(digests.map((digest) => has(digest, name)));
  const going = [root, ownDigest, signature.manifest.digest, remark.manifest.digest, cosign.content.manifest.digest];

  /** What the inventory knows of the repositories. */
  async function seen(
    edges: readonly (readonly [parent: Digest, child: Digest])[],
    placed: readonly Digest[],
    repositories: readonly RepositoryName[] = [app],
  ): Promise<void> {
    const { tables } = scene.recorded.database;
    for (const digest of new Set([...edges.flat(), ...placed])) {
      await tables.$executeRaw`INSERT INTO content (digest, media_type, size) VALUES (${digestToBytes(digest)}, 'spec', 1)`;
    }
    for (const [parent, child] of edges) {
      await tables.$executeRaw`INSERT INTO content_edge (parent, child, kind) VALUES (${digestToBytes(parent)}, ${digestToBytes(child)}, 'child')`;
    }
    for (const digest of placed) {
      await tables.$executeRaw`
        INSERT INTO placement (registry_id, repository, digest, seen_by)
        SELECT ${scene.registryId}::uuid, name, ${digestToBytes(digest)}, ${uuidV7.next()}::uuid FROM unnest(${repositories}::text[]) AS name`;
    }
  }

  it('deletes it at once, wherever it was seen, with what only it lists and what refers to that, and leaves what others list', async () => {
    await seen(
      [
        [root, sharedDigest],
        [kept.manifest.digest, sharedDigest],
      ],
      [root, kept.manifest.digest, sharedDigest],
    );

    const purge = await scene.purge({ digest: root });

    expect(purge).toMatchObject({ state: 'succeeded', failed: 0, open: 0 });
    expect(await manyHave(going)).toEqual(going.map(() => false));
    expect(await manyHave([kept.manifest.digest, sharedDigest])).toEqual([true, true]);
    expect([...(await scene.tags()).keys()]).toEqual(['kept']);
    const [open] = await scene.recorded.database.tables.$queryRaw<{ count: number }[]>`
      SELECT count(*)::int AS count FROM placement WHERE seen_until IS NULL AND digest = ${digestToBytes(root)}`;
    expect(open).toEqual({ count: 0 });
    const [act] = await scene.recorded.database.tables.retentionRecord.findMany({ where: { subject: purge.id } });
    expect(act).toMatchObject({ act: 'purged', reason: 'a mistake', decidedBy: scene.recorded.principalId });
  });

  it('takes what it deletes from the trash too, from where nothing brings it back', async () => {
    const departing = await scene.departing([own.manifest, signature.manifest, remark.manifest]);
    await scene.discard(departing.filter(({ manifest }) => going.includes(manifest.digest)));
    expect(await manyHave([root, ownDigest], trashOfApp)).toEqual([true, true]);

    expect(await scene.purge({ digest: ownDigest })).toMatchObject({ state: 'succeeded' });

    expect(await manyHave([root, ownDigest, signature.manifest.digest, remark.manifest.digest], trashOfApp)).toEqual([
      false,
      false,
      false,
      false,
    ]);
    await expect(scene.ask({ repository: app, digest: root })).rejects.toMatchObject({ code: 'not-in-trash' });
  });

  it('leaves what was pushed since the last crawl and needs the same, and what has a tag of its own, with all that refers to that', async () => {
    await scene.repository(app).putTag(parseTag('1.0.0-amd64'), own.manifest);

    expect(await scene.purge({ repository: app, digest: root })).toMatchObject({ state: 'succeeded', done: 2 });

    expect(await manyHave([root, cosign.content.manifest.digest])).toEqual([false, false]);
    const staying = [kept, shared, own, signature, remark].map(({ manifest }) => manifest.digest);
    expect(await manyHave(staying)).toEqual(staying.map(() => true));
    expect([...(await scene.tags()).keys()].filter((name) => !isReservedTag(name))).toEqual(['1.0.0-amd64', 'kept']);
  });

  it('deletes only itself at once where not all of the repository can be read, and the rest when it can', async () => {
    scene.faults.onRequest = ({ url }) => (url.includes('/tags/list') ? { status: 403 } : undefined);
    const { id } = await scene.ask({ repository: app, digest: root }, 'purge');
    await scene.worker().run();
    expect(await manyHave(going)).toEqual(going.map((digest) => digest !== root));
    expect(await scene.request(id, 'purge')).toMatchObject({ finishedAt: null, done: 1 });

    scene.faults.onRequest = () => undefined;
    await scene.worker({ workerId: 'next' }).run();

    expect(await scene.request(id, 'purge')).toMatchObject({ state: 'succeeded', failed: 0 });
    expect(await manyHave(going)).toEqual(going.map(() => false));
    expect(await manyHave([kept.manifest.digest, sharedDigest])).toEqual([true, true]);
  });

  it('deletes itself at once where reading the repository takes long, and the rest when it has been read', async () => {
    let tellDeletion: () => void = () => undefined;
    const deletion = new Promise<void>((resolve) => (tellDeletion = resolve));
    const deleted: string[] = [];
    scene.faults.onRequest = async ({ method, url }) => {
      if (method === 'DELETE') {
        deleted.push(url.slice(url.lastIndexOf('/') + 1));
        tellDeletion();
      }
      if (url.includes('/tags/list')) await deletion;
      return undefined;
    };
    const { id } = await scene.ask({ repository: app, digest: root }, 'purge');

    await scene.worker({ lookMs: 20 }).run();

    expect(await scene.request(id, 'purge')).toMatchObject({ state: 'succeeded', failed: 0 });
    expect(deleted[0]).toBe(root);
    expect(await manyHave(going)).toEqual(going.map(() => false));
    expect(await manyHave([kept.manifest.digest, sharedDigest])).toEqual([true, true]);
  });

  it('deletes itself everywhere before it waits for a look at one repository', async () => {
    const elsewhere = parseRepositoryName('team-b/app');
    await pushBuilt(scene.repository(elsewhere), leaked);
    await scene.repository(elsewhere).putTag(tag, leaked.manifest);
    await seen([], [root], [app, elsewhere]);
    const order: string[] = [];
    let tellDeletion: () => void = () => undefined;
    const deletion = new Promise<void>((resolve) => (tellDeletion = resolve));
    scene.faults.onRequest = async ({ method, url }) => {
      if (method === 'DELETE') order.push(url.replace('/v2/', ''));
      if (order.includes(`${elsewhere}/manifests/${root}`)) tellDeletion();
      if (url.includes('/tags/list')) await deletion;
      return undefined;
    };
    const { id } = await scene.ask({ digest: root }, 'purge');

    await scene.worker({ lookMs: 20 }).run();

    expect(await scene.request(id, 'purge')).toMatchObject({ state: 'succeeded', failed: 0 });
    expect(order.slice(0, 2)).toEqual([app, elsewhere].map((name) => `${name}/manifests/${root}`));
    expect(await manyHave(going)).toEqual(going.map(() => false));
    expect(await manyHave([root, ownDigest], elsewhere)).toEqual([false, false]);
  });

  it('is refused of what something lists that stays', async () => {
    const { id, state } = await scene.purge({ repository: app, digest: ownDigest });

    expect(state).toBe('failed');
    const [item] = await new TrashRequests(scene.recorded.database).items(id, { limit: 10 });
    expect(item).toMatchObject({
      digest: ownDigest,
      state: 'failed',
      error: { code: 'listed-elsewhere', message: expect.stringContaining(root) },
    });
    expect(await has(ownDigest)).toBe(true);
  });

  it('is refused of what a promotion needs that is under way', async () => {
    await scene.recorded.request(leaked.manifest, [{ ...requiredAt('prod'), repository: parseRepositoryName('team-b/app') }]);

    await expect(scene.ask({ repository: app, digest: root }, 'purge')).rejects.toMatchObject({ code: 'needed-by-promotion' });
  });

  it('is refused of what somebody holds, and of what was seen nowhere', async () => {
    await expect(scene.ask({ digest: root }, 'purge')).rejects.toMatchObject({ code: 'nowhere-to-purge' });
    await scene.recorded.database.tables.hold.create({
      data: { id: uuidV7.next(), scope: 'repository', repository: app, reason: 'audit', placedBy: scene.recorded.principalId },
    });

    await expect(scene.ask({ repository: app, digest: root }, 'purge')).rejects.toMatchObject({ code: 'held' });
    expect(await has(root)).toBe(true);
  });

  it('is finished by another worker when the one that began it dies', async () => {
    let deletions = 0;
    scene.faults.onRequest = ({ method }) => (method === 'DELETE' && ++deletions > 1 ? 'lose-request' : undefined);
    const { id } = await scene.ask({ repository: app, digest: root }, 'purge');
    await scene.worker().run();
    expect(await has(root)).toBe(false);
    expect(await scene.request(id, 'purge')).toMatchObject({ finishedAt: null });

    scene.faults.onRequest = () => undefined;
    await scene.worker({ workerId: 'next' }).run();

    expect(await scene.request(id, 'purge')).toMatchObject({ state: 'succeeded' });
    expect(await manyHave(going)).toEqual(going.map(() => false));
  });
});
