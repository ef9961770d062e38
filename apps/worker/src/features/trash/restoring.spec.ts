import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type Digest, parseTag } from '@waybill/oci-model';
import { TrashRequests } from '@waybill/persistence';
import {
  buildImage,
  buildIndex,
  buildSignedArtifact,
  describeWith,
  makeTestFolder,
  manifestsOf,
  pushArtifact,
  pushBuilt,
} from '@waybill/testing';
import { app, TrashScene, trashOfApp } from './trash-scene.spec-helper.js';

const release = parseTag('1.0.0');
const latest = parseTag('latest');
const artifact = buildSignedArtifact();
const root = artifact.root.manifest;
/** Of one level, as skopeo can take one whole. */
const flat = buildIndex([buildImage({ seed: 61 }), buildImage({ seed: 62 })]);
const flatTag = parseTag('2.0.0');

describeWith(['docker-registry', 'skopeo'], 'what was deleted', () => {
  let scene: TrashScene;
  beforeEach(async () => {
    scene = await TrashScene.open();
  });
  afterEach(() => scene.close());

  /** Pushes a signed index under two tags; gives all that it consists of. */
  async function pushed() {
    const store = scene.repository(app);
    await pushArtifact(store, artifact);
    for (const tag of [release, latest]) await store.putTag(tag, root);
    await pushBuilt(store, flat);
    await store.putTag(flatTag, flat.manifest);
    return scene.departing([...manifestsOf(artifact.root), ...manifestsOf(flat), ...artifact.referrers.map(({ manifest }) => manifest)]);
  }

  const pull = async (): Promise<void> => {
    const folder = await makeTestFolder('waybill-pulled-');
    const source = `docker://${scene.process.url.slice('http://'.length)}/${app}:${flatTag}`;
    await promisify(execFile)('skopeo', ['copy', '--all', '--src-tls-verify=false', source, `dir:${join(folder, 'image')}`]);
  };

  it('comes back bit for bit after the registry was collected: index, children, referrers of referrers and every tag', async () => {
    const departing = await pushed();
    const before = await scene.tags();
    const run = await scene.discard(departing);
    expect(await scene.tags()).toEqual(new Map());
    await scene.collectGarbage();

    const request = await scene.restore({ run });

    expect(request).toMatchObject({ state: 'succeeded', done: departing.length, failed: 0 });
    expect(await scene.tags()).toEqual(before);
    for (const { manifest } of departing) {
      expect(Buffer.from((await scene.repository(app).readManifest(manifest.digest)).bytes)).toEqual(Buffer.from(manifest.bytes));
    }
    await pull();
    await scene.empty();
    await scene.collectGarbage();
    await pull();
    expect(await scene.tags(trashOfApp)).toEqual(new Map());
    expect(scene.log.troubles()).toEqual([]);
  });

  it('goes there and back without a byte of a blob', async () => {
    const departing = await pushed();
    await scene.discard(departing);
    await scene.restore({ repository: app, digest: root.digest });

    const uploads = scene.front.requests.filter(({ url }) => url.includes('/blobs/uploads/'));
    const mounts = uploads.filter(({ method, url }) => method === 'POST' && /mount=sha256.*&from=/.test(decodeURIComponent(url)));
    expect(mounts.length).toBeGreaterThan(0);
    expect(uploads).toEqual(mounts);
  });

  it('does not take tags that name something else since, and says so', async () => {
    await scene.discard(await pushed());
    const newer = buildImage({ seed: 77 });
    await pushBuilt(scene.repository(app), newer);
    await scene.repository(app).putTag(latest, newer.manifest);

    const { id } = await scene.restore({ repository: app, tag: release });

    const tags = await scene.tags();
    expect([tags.get(release), tags.get(latest)]).toEqual([root.digest, newer.manifest.digest]);
    const items = await new TrashRequests(scene.recorded.database).items(id, { limit: 100 });
    expect(items.find(({ digest }) => digest === root.digest)?.tags).toEqual([
      { tag: release, outcome: 'back' },
      { tag: latest, outcome: 'moved', names: newer.manifest.digest },
    ]);
  });

  it('has no tag while something beneath it is missing that was there when it was brought back', async () => {
    await scene.discard(await pushed());
    const store = scene.repository(app);
    const [child] = manifestsOf(flat).filter(({ digest }) => digest !== flat.manifest.digest);
    if (child === undefined) throw new Error('the index lists nothing');
    const { id } = await scene.ask({ repository: app, tag: flatTag });
    let came: 'not yet' | 'now' | 'deleted' = 'not yet';
    scene.faults.onRequest = async ({ method, url }) => {
      if (came === 'now') {
        came = 'deleted';
        await store.deleteManifest(child.digest);
      } else if (came === 'not yet' && method === 'PUT' && decodeURIComponent(url).includes(flat.manifest.digest)) came = 'now';
      return undefined;
    };
    await scene.worker().run();
    expect(await store.hasManifest(child.digest)).toBe(false);
    expect([...(await scene.tags()).keys()]).toEqual([]);
    expect(await scene.request(id)).toMatchObject({ finishedAt: null });

    await scene.worker({ workerId: 'next' }).run();

    expect(await scene.request(id)).toMatchObject({ state: 'succeeded' });
    expect([await store.hasManifest(child.digest), (await scene.tags()).get(flatTag)]).toEqual([true, flat.manifest.digest]);
  });

  it('is brought back once, however often it is asked for', async () => {
    const run = await scene.discard(await pushed());
    const first = await scene.ask({ run });
    await expect(scene.ask({ repository: app, digest: root.digest })).rejects.toMatchObject({ code: 'restore-unfinished' });
    await scene.worker().run();
    const before = await scene.tags();

    const second = await scene.restore({ repository: app, digest: root.digest });

    expect([(await scene.request(first.id)).state, second.state, second.done]).toEqual(['succeeded', 'succeeded', 0]);
    expect(await scene.tags()).toEqual(before);
  });

  it('is refused where nothing was deleted', async () => {
    await pushed();

    await expect(scene.ask({ repository: app, digest: root.digest })).rejects.toMatchObject({ code: 'not-in-trash' });
  });

  it('is emptied out when its time is over, but for what something else there needs', async () => {
    const base = buildImage({ seed: 5 });
    const store = scene.repository(app);
    const departing = await pushed();
    await pushBuilt(store, base);
    await scene.discard(departing, { ttlMs: 0 });
    await scene.discard([{ manifest: base.manifest, tags: [] }]);
    const child = manifestsOf(artifact.root).find(({ digest }) => digest !== root.digest);
    await pushBuilt(store, artifact.root);
    await scene.discard([{ manifest: root, tags: [release] }]);

    await scene.empty();

    const trash = scene.repository(trashOfApp);
    const held = async (digest: Digest | undefined) => digest !== undefined && (await trash.hasManifest(digest));
    const remark = artifact.referrers[2]?.manifest.digest ?? root.digest;
    expect(await Promise.all([root.digest, child?.digest, base.manifest.digest, remark].map(held))).toEqual([true, true, true, false]);
    await expect(scene.ask({ repository: app, digest: remark })).rejects.toMatchObject({ code: 'not-in-trash' });
    await store.deleteManifest(base.manifest.digest);
    await scene.collectGarbage();
    expect(await scene.restore({ repository: app, digest: base.manifest.digest })).toMatchObject({ state: 'succeeded' });
    for (const [digest, { byteLength: size }] of base.blobs) expect(await store.probeBlob({ digest, size })).toBe(true);
  });
});
