import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { parseTag, referrersTagOf } from '@waybill/oci-model';
import { type FrontFaults, buildImage, buildReferrer, describeWith, pushBuilt } from '@waybill/testing';
import type { DepartingManifest } from '../../infrastructure/trash/keep-in-trash.js';
import { app, TrashScene, trashOfApp } from './trash-scene.spec-helper.js';

const tag = parseTag('1.0.0');
const image = buildImage({ layers: 1, seed: 41 });
const signature = buildReferrer(image, { seed: 42 });
const isWrite = ({ method }: Parameters<FrontFaults>[0]): boolean => method !== 'GET' && method !== 'HEAD';

/** A process that dies as it writes to the registry: whether that arrived nobody knows, and it does nothing any more. */
class Death {
  #left: number;
  isDead = false;

  constructor(atWrite: number) {
    this.#left = atWrite;
  }

  readonly onRequest: FrontFaults = (request) => {
    if (this.isDead) return 'lose-request';
    if (isWrite(request)) this.#left -= 1;
    this.isDead = this.#left === 0;
    return this.isDead ? 'lose-answer' : undefined;
  };

  /** What writes rows, until then. */
  of<Rows extends object>(rows: Rows): Rows {
    return new Proxy(rows, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name, target);
        if (typeof method !== 'function') return method;
        return (...args: readonly unknown[]): unknown => {
          if (this.isDead) throw new Error('the process is dead');
          return Reflect.apply(method, target, args);
        };
      },
    });
  }
}

describeWith('docker-registry', 'a worker that dies as it writes to the registry', () => {
  let scene: TrashScene;
  let departing: readonly DepartingManifest[];
  beforeEach(async () => {
    scene = await TrashScene.open();
    const store = scene.repository(app);
    await pushBuilt(store, image);
    await store.putTag(tag, image.manifest);
    await pushBuilt(store, signature);
    departing = await scene.departing([signature.manifest]);
  });
  afterEach(() => scene.close());

  /** All that a repository holds of it. */
  const held = async (name: typeof app) => {
    const store = scene.repository(name);
    const manifests = departing.map(({ manifest }) => store.hasManifest(manifest.digest));
    const blobs = [...image.blobs, ...signature.blobs].map(([digest, { byteLength: size }]) => store.probeBlob({ digest, size }));
    return { tags: await scene.tags(name), manifests: await Promise.all(manifests), blobs: await Promise.all(blobs) };
  };

  // Of two manifests: two mounts each, the manifest, and its tag.
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('has another one hold all that is to be deleted: write %i', async (write) => {
    const run = await scene.run();
    const death = new Death(write);
    scene.faults.onRequest = death.onRequest;
    const dying = await scene.keeper(run, { trash: death.of(scene.trash) });
    const keepAll = async (keeper: typeof dying): Promise<void> => {
      for (const one of departing) await keeper.keep(one, new AbortController().signal);
    };

    await expect(keepAll(dying)).rejects.toThrow();
    expect(death.isDead).toBe(true);
    scene.faults.onRequest = () => undefined;
    await keepAll(await scene.keeper(run));
    await scene.delete(departing);
    await scene.collectGarbage();

    expect(await scene.restore({ run })).toMatchObject({ state: 'succeeded', done: 3 });
    expect(await held(app)).toMatchObject({ manifests: [true, true, true] });
  });

  // The two manifests, whose blobs the registry has still; the list of referrers; the tag; and the manifest that is listed.
  it.each([1, 2, 3, 4, 5])('has another one bring all back: write %i', async (write) => {
    const before = await held(app);
    await scene.discard(departing);
    const { id } = await scene.ask({ repository: app, digest: image.manifest.digest });
    const death = new Death(write);
    scene.faults.onRequest = death.onRequest;

    await scene
      .worker({ leases: death.of(scene.leases()) })
      .run()
      .catch(() => undefined);
    expect(death.isDead).toBe(true);
    scene.faults.onRequest = () => undefined;
    await scene.endLeases();
    await scene.worker({ workerId: 'next' }).run();

    expect(await scene.request(id)).toMatchObject({ state: 'succeeded', done: 3, failed: 0 });
    expect(await held(app)).toEqual(before);
    expect(before.tags.get(referrersTagOf(image.manifest.digest))).toBeDefined();
  });

  it.each([1, 2])('has another one empty the trash: write %i', async (write) => {
    await scene.discard(departing, { ttlMs: 0 });
    const death = new Death(write);
    scene.faults.onRequest = death.onRequest;

    await scene.empty(death.of(scene.trash)).catch(() => undefined);
    expect(death.isDead).toBe(true);
    scene.faults.onRequest = () => undefined;
    await scene.endLeases();
    await scene.empty();

    expect(await held(trashOfApp)).toMatchObject({ tags: new Map(), manifests: [false, false, false] });
    await expect(scene.ask({ repository: app, digest: image.manifest.digest })).rejects.toMatchObject({ code: 'not-in-trash' });
    expect(await scene.empty()).toBe(0);
  });
});
