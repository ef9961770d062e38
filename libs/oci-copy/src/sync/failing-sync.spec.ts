import { describe, expect, it } from '@jest/globals';
import type { BlobRef, Digest, Manifest, PushBlobOptions, Tag } from '@waybill/oci-model';
import { buildImage, MemoryStore } from '@waybill/testing';
import type { Readable } from 'node:stream';
import type { SyncOptions, TagReport } from './sync-options.js';
import { syncRepository } from './sync-repository.js';
import { apps, base, failing, storeWith, synced, tagged } from './syncing.spec-helper.js';

describe('syncRepository with something that fails', () => {
  const rotten = apps[2]!.layers.at(-1)!.digest;

  it('at the source loses that tag alone', async () => {
    class Patchy extends MemoryStore {
      override async resolveTag(tag: Tag, signal?: AbortSignal): Promise<Digest | undefined> {
        if (tag === '1.0.0') throw failing('denied');
        if (tag === '1.1.0') return undefined;
        return super.resolveTag(tag, signal);
      }
    }
    const source = await storeWith(tagged, new Patchy());
    source.blobs.delete(rotten);
    source.manifests.delete(apps[3]!.manifest.digest);
    const stores = { a: new MemoryStore(), b: new MemoryStore() };

    const { report, reports, outcomes } = await synced(source, stores);

    for (const id of ['a', 'b']) {
      expect(outcomes(id)).toEqual({
        '1.0.0': 'failed',
        '1.1.0': 'failed',
        '1.2.0': 'failed',
        '1.3.0': 'failed',
        '1.4.0': 'copied',
        '1.5.0': 'copied',
      });
      expect(report.targets.get(id)).toMatchObject({ copied: 2, failed: 4 });
    }
    const codes = Object.fromEntries(reports.flatMap((each) => ('error' in each ? [[each.tag as string, each.error.code]] : [])));
    expect(codes).toEqual({ '1.0.0': 'source-denied', '1.1.0': 'source-missing', '1.2.0': 'source-missing', '1.3.0': 'source-missing' });
  });

  it('reads a blob that is lost for all who name it no more than it must', async () => {
    const source = await storeWith(tagged, new MemoryStore());
    const shared = base.layers[0]!.digest;
    source.blobs.get(shared)!.set([255], 1000);

    const { report } = await synced(source, { t: new MemoryStore() }, { rootsInParallel: 1 });

    expect(report.targets.get('t')).toMatchObject({ failed: 6 });
    expect(source.callsOf('readBlob').filter((digest) => digest === shared)).toHaveLength(2);
  });

  it('does not let one tag’s bad layer take those down that wait for a layer they share', async () => {
    const [good, bad] = [apps[0]!, apps[2]!];
    const source = await storeWith({ bad, good }, new MemoryStore());
    source.blobs.delete(rotten);
    const store = new MemoryStore();

    const { outcomes } = await synced(source, { t: store }, { blobsInParallel: 8 });

    expect(outcomes('t')).toEqual({ bad: 'failed', good: 'copied' });
  });

  it('at one target does not stop the others', async () => {
    class Down extends MemoryStore {
      asked = 0;

      override async resolveTag(): Promise<Digest | undefined> {
        this.asked += 1;
        throw failing('unreachable', true);
      }
    }
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`v${index}`, apps[index % 6]!]));
    const source = await storeWith(many, new MemoryStore());
    const [down, up] = [new Down(), new MemoryStore()];

    const { report } = await synced(source, { down, up }, { manifestsInParallel: 2 });

    expect(report.targets.get('up')).toMatchObject({ copied: 40 });
    expect(report.targets.get('down')).toMatchObject({ failed: 40 });
    // It is not asked for every tag: it has shown that it is of no use.
    expect(down.asked).toBeLessThan(40);
  });

  it('leaves a target alone that went silent in the middle of a copy', async () => {
    let uploads = 0;
    // A registry that takes no bytes; its client gives up when it is asked again.
    class Hanging extends MemoryStore {
      override pushBlob(_blob: BlobRef, content: Readable, options: PushBlobOptions = {}): Promise<void> {
        uploads += 1;
        if (uploads > 2) return Promise.reject(failing('timeout'));
        return new Promise((_, reject) => {
          content.once('error', reject);
          options.signal?.addEventListener('abort', () => reject(failing('aborted')), { once: true });
        });
      }
    }
    const big = Object.fromEntries([1, 2, 3].map((seed) => [`v${seed}`, buildImage({ seed, layers: 1, layerBytes: 2_000_000 })]));
    const source = await storeWith(big, new MemoryStore());
    const good = new MemoryStore();

    const { report } = await synced(source, { stuck: new Hanging(), good }, { holdUpMs: 20, rootsInParallel: 1 });

    expect(report.targets.get('good')).toMatchObject({ copied: 3 });
    expect(report.targets.get('stuck')).toMatchObject({ failed: 3 });
    expect(uploads).toBeLessThanOrEqual(4);
  });

  it('writes the other tags of a digest when one is refused', async () => {
    class Choosy extends MemoryStore {
      override async putTag(tag: Tag, manifest: Manifest, signal?: AbortSignal): Promise<void> {
        if (tag === 'latest') throw failing('denied');
        await super.putTag(tag, manifest, signal);
      }
    }
    const source = await storeWith({ latest: base, '1.0.0': base }, new MemoryStore());

    const { outcomes } = await synced(source, { t: new Choosy() });

    expect(outcomes('t')).toEqual({ latest: 'failed', '1.0.0': 'copied' });
  });

  it('with a hook of the copy fails the tags of that root', async () => {
    const source = await storeWith({ bad: apps[0]!, good: apps[1]! }, new MemoryStore());
    const hooks: SyncOptions['hooks'] = {
      beforeTag: ({ tag }) => {
        if (tag === 'bad') throw new Error('not recorded');
      },
    };

    expect((await synced(source, { t: new MemoryStore() }, { hooks })).outcomes('t')).toEqual({ bad: 'failed', good: 'copied' });
  });

  it('counts what its own hook could not be told as failed', async () => {
    const source = await storeWith({ one: apps[0]!, two: apps[1]! }, new MemoryStore());
    const onTag = ({ tag }: TagReport) => {
      if (tag === 'one') throw new Error('not recorded');
    };

    const report = await syncRepository(source, [{ id: 't', store: new MemoryStore() }], { onTag });

    expect(report.targets.get('t')).toMatchObject({ failed: 1, copied: 1 });
  });
});
