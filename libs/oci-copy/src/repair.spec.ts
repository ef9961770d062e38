import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import {
  type BlobRef,
  ContentError,
  type Digest,
  hexOf,
  isDigest,
  type Manifest,
  parseRepositoryName,
  parseTag,
  type PushBlobOptions,
  type Tag,
} from '@waybill/oci-model';
import { RegistryClient } from '@waybill/oci-registry';
import {
  blobsOf,
  type BuiltContent,
  buildImage,
  buildIndex,
  buildReferrer,
  describeWith,
  manifestsOf,
  MemoryStore,
  memoryStoreWith,
  pushBuilt,
  type RunningRegistry,
  startDockerRegistry,
} from '@waybill/testing';
import { copyGraph } from './copy-graph.js';
import type { CopyOptions } from './options.js';
import { verifyGraph } from './verify-graph.js';

const tag = parseTag('1.0.0');
const [one, two] = [buildImage({ seed: 1 }), buildImage({ seed: 2, base: buildImage({ seed: 1 }) })];
const built = buildIndex([buildIndex([one, two]), one]);
const root = built.manifest.digest;
const allBlobs = [...blobsOf(built).keys()].sort();

/**
 * A registry whose cache outlives a garbage collection: it says that it has what the cache remembers,
 * until it has to look at its storage, which is when a manifest names it.
 */
class Remembering extends MemoryStore {
  readonly remembered = new Map<Digest, Manifest | undefined>();

  remember(content: BuiltContent): void {
    for (const digest of blobsOf(content).keys()) this.remembered.set(digest, undefined);
    for (const manifest of manifestsOf(content)) this.remembered.set(manifest.digest, manifest);
  }

  override async probeBlob(blob: BlobRef, signal?: AbortSignal): Promise<boolean> {
    return (await super.probeBlob(blob, signal)) || this.remembered.has(blob.digest);
  }

  override async readManifest(reference: Digest | Tag, signal?: AbortSignal): Promise<Manifest> {
    const remembered = isDigest(reference) ? this.remembered.get(reference) : undefined;
    return remembered ?? (await super.readManifest(reference, signal));
  }
}

async function copiedTo(store: MemoryStore, options: CopyOptions = {}) {
  const source = await memoryStoreWith(built);
  const report = await copyGraph(source, root, [{ id: 't', store, tags: [tag] }], { retryDelayMs: () => 0, ...options });
  return { source, report: report.targets.get('t')! };
}

describe('a target that calls content missing which it had shown to have', () => {
  it('is given the blobs again, once each, and then the manifests', async () => {
    const store = new Remembering();
    for (const digest of allBlobs) store.remembered.set(digest, undefined);

    const { report, source } = await copiedTo(store);

    expect(report).toMatchObject({
      outcome: 'copied',
      blobs: { copied: allBlobs.length, mounted: 0, skipped: 0 },
      bytesSkipped: 0,
      manifests: { copied: 4, skipped: 0 },
    });
    expect(store.callsOf('pushBlob').sort()).toEqual(allBlobs);
    expect(source.callsOf('readBlob').sort()).toEqual(allBlobs);
    await verifyGraph(await memoryStoreWith(buildIndex([]), store), root);
  });

  it('is given everything again when it is the tag that it refuses', async () => {
    const store = new Remembering();
    store.remember(built);

    const { report } = await copiedTo(store);

    expect(report).toMatchObject({ outcome: 'copied', manifests: { copied: 3 } });
    expect(store.tags.get(tag)).toBe(root);
    store.remembered.clear();
    await verifyGraph(store, root);
  });

  it('is given nothing again that this run has written', async () => {
    const store = new Remembering();
    const lied = one.layers[0]!.digest;
    store.remembered.set(lied, undefined);

    const { report } = await copiedTo(store);

    expect(report).toMatchObject({ outcome: 'copied', blobs: { copied: allBlobs.length, skipped: 0 } });
    expect(store.callsOf('pushBlob').sort()).toEqual(allBlobs);
  });

  it('is given everything again when it lost what this run has written, and does not say what', async () => {
    // A collection that runs online takes blobs that no manifest names yet.
    class Collected extends MemoryStore {
      collections = 1;

      override async pushManifest(manifest: Manifest, signal?: AbortSignal): Promise<void> {
        if (this.collections > 0) this.blobs.clear();
        this.collections -= 1;
        await super.pushManifest(manifest, signal);
      }
    }
    const store = new Collected();
    const pushes: Digest[] = [];
    const hooks: CopyOptions['hooks'] = {
      beforeManifest: ({ manifest }) => void pushes.push(manifest.digest),
      afterManifest: ({ manifest }) => void pushes.splice(pushes.indexOf(manifest.digest), 1),
    };

    const { report } = await copiedTo(store, { manifestsInParallel: 1, hooks });

    expect(report).toMatchObject({ outcome: 'copied' });
    expect(pushes).toEqual([]);
    expect(store.tags.get(tag)).toBe(root);
  });

  it('is given a referrer’s content again', async () => {
    const sbom = buildReferrer(built);
    const source = await memoryStoreWith(built);
    await pushBuilt(source, sbom);
    const store = new Remembering();
    for (const digest of sbom.blobs.keys()) store.remembered.set(digest, undefined);

    const report = await copyGraph(source, root, [{ id: 't', store }], { referrers: { required: 'all' } });

    expect(report.targets.get('t')).toMatchObject({ outcome: 'copied', referrers: [{ outcome: 'copied' }] });
    for (const digest of sbom.blobs.keys()) expect(store.blobs.has(digest)).toBe(true);
  });

  it('is given a blob again for one referrer when it did not arrive for another', async () => {
    const image = buildImage({ seed: 7 });
    const twins = [buildReferrer(image), buildReferrer(image, { annotations: { twin: 'true' } })];
    const [shared] = [...twins[0]!.blobs.keys()] as [Digest];
    const source = await memoryStoreWith(image);
    for (const twin of twins) await pushBuilt(source, twin);
    class Refusing extends Remembering {
      refused = 0;

      override async pushBlob(blob: BlobRef, content: Readable, options?: PushBlobOptions): Promise<void> {
        if (blob.digest !== shared || this.refused > 0) return super.pushBlob(blob, content, options);
        this.refused += 1;
        content.destroy();
        throw new ContentError('not now', { code: 'denied', operation: 'push blob' });
      }
    }
    const store = new Refusing();
    store.remembered.set(shared, undefined);

    const report = await copyGraph(source, image.manifest.digest, [{ id: 't', store }], { referrers: 'all' });

    expect(store.refused).toBe(1);
    expect(
      report.targets
        .get('t')
        ?.referrers.map(({ outcome }) => outcome)
        .toSorted(),
    ).toEqual(['copied', 'failed']);
  });

  it('fails with what it said when that does not help, and is not asked for ever', async () => {
    class Stubborn extends MemoryStore {
      override async pushManifest(manifest: Manifest, signal?: AbortSignal): Promise<void> {
        this.blobs.clear();
        await super.pushManifest(manifest, signal);
      }
    }
    const store = new Stubborn();

    const { report } = await copiedTo(store, { manifestsInParallel: 1 });

    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'target-incomplete', side: 'target', operation: 'push manifest' } });
    expect(store.tags.size).toBe(0);
    // Once at first and once again for each of the two images.
    for (const digest of allBlobs) expect(store.callsOf('pushBlob').filter((each) => each === digest).length).toBeLessThanOrEqual(3);
  });

  it('fails alone when the source has lost it too', async () => {
    const store = new Remembering();
    const [lost] = [...one.blobs.keys()] as [Digest];
    store.remembered.set(lost, undefined);
    const good = await memoryStoreWith(built);
    const source = await memoryStoreWith(built);
    source.blobs.delete(lost);

    const { targets } = await copyGraph(source, root, [
      { id: 'bad', store, tags: [tag] },
      { id: 'good', store: good, tags: [tag] },
    ]);

    expect(targets.get('bad')).toMatchObject({ outcome: 'failed', error: { code: 'source-missing', digest: lost } });
    expect(targets.get('good')).toMatchObject({ outcome: 'copied' });
    expect(store.tags.size).toBe(0);
  });
});

describeWith('docker-registry', 'a registry whose files were taken away behind its back', () => {
  const app = parseRepositoryName('team/app');
  let registry: RunningRegistry;
  let client: RegistryClient;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    client = new RegistryClient({ origin: registry.url });
  });
  afterAll(async () => {
    client.close();
    await registry.stop();
  });

  /** The repository's link to a blob or a manifest; without it the registry does not know it there. */
  function linkOf(kind: '_layers' | '_manifests/revisions', digest: Digest): string {
    return join(registry.dataDir, 'docker/registry/v2/repositories', app, kind, 'sha256', hexOf(digest));
  }

  /** Copies, and takes a link away between the moment when the registry is asked and the one when it looks for itself. */
  async function copiedWithout(link: string, content: BuiltContent) {
    const store = client.repository(app);
    const beforeManifest: NonNullable<CopyOptions['hooks']>['beforeManifest'] = async ({ isRoot }) => {
      if (isRoot) await rm(link, { recursive: true });
    };
    const source = await memoryStoreWith(content);
    const report = await copyGraph(source, content.manifest.digest, [{ id: 't', store, tags: [tag] }], { hooks: { beforeManifest } });
    await verifyGraph(store, content.manifest.digest);
    expect(await store.resolveTag(tag)).toBe(content.manifest.digest);
    return report.targets.get('t')!;
  }

  it('gets a blob again that it had shown to have', async () => {
    await pushBuilt(client.repository(app), one);
    const image = buildImage({ seed: 3, base: one });

    const report = await copiedWithout(linkOf('_layers', one.layers[0]!.digest), image);

    expect(report).toMatchObject({ outcome: 'copied', blobs: { copied: image.blobs.size, skipped: 0 } });
  });

  it('gets a child of an index again that it had shown to have', async () => {
    await pushBuilt(client.repository(app), two);

    const report = await copiedWithout(linkOf('_manifests/revisions', two.manifest.digest), buildIndex([two]));

    expect(report).toMatchObject({ outcome: 'copied', manifests: { copied: 2, skipped: 0 } });
  });
});
