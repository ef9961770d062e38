import { describe, expect, it } from '@jest/globals';
import { type BlobRef, type ContentReader, type Descriptor, type Digest, digestOf, type ReferrerLister } from '@waybill/oci-model';
import { buildCosignTag, buildImage, buildReferrer, MemoryStore } from '@waybill/testing';
import { copyGraph } from '../copy-graph.js';
import type { CopyOptions } from '../options.js';
import { artifact, copiedTo, failing, root, spdx, storeWith, tag } from './copying-referrers.spec-helper.js';

describe('referrers that the source does not tell of', () => {
  class Mute extends MemoryStore {
    constructor(private readonly subject: Digest) {
      super();
    }

    override async *listReferrers(subject: Digest): AsyncIterable<Descriptor> {
      if (subject === this.subject) throw failing('unavailable', true);
      yield* super.listReferrers(subject);
    }
  }
  const arm = artifact.referrers[3]!.subject;

  it('are not taken for none: the report names their subjects', async () => {
    const source = await storeWith(artifact, new Mute(arm));
    const store = new MemoryStore();

    const report = await copyGraph(source, root, [{ id: 't', store, tags: [tag] }], { referrers: 'all', retryDelayMs: () => 0 });

    expect(report.unlisted).toMatchObject([{ subject: arm, error: { code: 'source-unreachable', operation: 'list referrers' } }]);
    expect(report.targets.get('t')).toMatchObject({ outcome: 'copied', referrers: { length: 7 } });
  });

  it('fail the copy when any is required', async () => {
    const source = await storeWith(artifact, new Mute(arm));
    const store = new MemoryStore();

    expect(await copiedTo(store, { source, referrers: { required: [spdx] } })).toMatchObject({
      outcome: 'failed',
      error: { code: 'source-unreachable' },
    });
    expect(store.tags.has(tag)).toBe(false);
  });

  it.each<[string, CopyOptions['referrers']]>([
    ['type', { required: ['application/vnd.example.absent'] }],
    ['digest', { pinned: [digestOf(Buffer.from('absent'))] }],
  ])('fail the copy when one of that %s is required', async (_, referrers) => {
    const store = new MemoryStore();

    const report = await copiedTo(store, referrers === undefined ? {} : { referrers });

    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'source-missing', details: { missing: { length: 1 } } } });
    expect(store.tags.has(tag)).toBe(false);
  });

  it('because it cannot list any fail the copy', async () => {
    const source = await storeWith(artifact, new MemoryStore());
    const reader = {
      readManifest: source.readManifest.bind(source),
      readBlob: source.readBlob.bind(source),
      probeBlob: source.probeBlob.bind(source),
    };

    const report = await copyGraph(reader, root, [{ id: 't', store: new MemoryStore() }], { referrers: 'all' });

    expect(report.targets.get('t')).toMatchObject({ outcome: 'failed', error: { code: 'source-unsupported' } });
  });
});

describe('copying referrers from a source that', () => {
  const image = buildImage({ seed: 90 });
  const sbomOf = buildReferrer(image, { artifactType: spdx });
  const content = { root: image, referrers: [sbomOf], cosignTags: [buildCosignTag(image)] };
  const from = image.manifest.digest;

  it('has no tags brings those it lists', async () => {
    const source = await storeWith(content, new MemoryStore());
    const lister: ContentReader & ReferrerLister = {
      readManifest: (reference, signal) => source.readManifest(reference, signal),
      readBlob: (blob: BlobRef, signal) => source.readBlob(blob, signal),
      probeBlob: (blob: BlobRef, signal) => source.probeBlob(blob, signal),
      listReferrers: (subject, signal) => source.listReferrers(subject, signal),
    };

    const { targets } = await copyGraph(lister, from, [{ id: 't', store: new MemoryStore() }], { referrers: 'all' });

    expect(targets.get('t')?.referrers).toMatchObject([{ referrer: sbomOf.manifest.digest, outcome: 'copied' }]);
  });

  it('does not tell a repository without tags from none brings those it lists', async () => {
    class Untold extends MemoryStore {
      override async resolveTag(): Promise<Digest | undefined> {
        throw failing('not-found');
      }
    }

    const report = await copiedTo(new MemoryStore(), { source: await storeWith(content, new Untold()), root: from });

    expect(report.referrers).toMatchObject([{ referrer: sbomOf.manifest.digest, outcome: 'copied' }]);
  });

  it('does not answer for tags is not taken to have none', async () => {
    class Silent extends MemoryStore {
      override async resolveTag(): Promise<Digest | undefined> {
        throw failing('unavailable', true);
      }
    }
    const source = await storeWith(content, new Silent());
    const options: CopyOptions = { referrers: 'all', retryDelayMs: () => 0 };

    const report = await copyGraph(source, from, [{ id: 't', store: new MemoryStore() }], options);

    expect(new Set(report.unlisted.map(({ subject }) => subject))).toEqual(new Set([from, sbomOf.manifest.digest]));
    expect(report.targets.get('t')?.referrers).toMatchObject([{ referrer: sbomOf.manifest.digest, outcome: 'copied' }]);
  });
});
