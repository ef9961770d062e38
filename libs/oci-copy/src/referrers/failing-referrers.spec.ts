import { describe, expect, it } from '@jest/globals';
import { type BlobRef, type Descriptor, descriptorOf, type Digest, type Manifest, type PushBlobOptions } from '@waybill/oci-model';
import { buildImage, buildReferrer, MemoryStore, pushBuilt } from '@waybill/testing';
import type { Readable } from 'node:stream';
import { copyGraph } from '../copy-graph.js';
import type { CopyOptions } from '../options.js';
import {
  artifact,
  copiedTo,
  failing,
  ofPlatform,
  outcomesOf,
  remark,
  root,
  sbom,
  signature,
  spdx,
  storeWith,
  tag,
} from './copying-referrers.spec-helper.js';

describe('referrers that fail', () => {
  class Choosy extends MemoryStore {
    constructor(private readonly refused: Digest) {
      super();
    }

    override async pushManifest(manifest: Manifest, signal?: AbortSignal): Promise<void> {
      if (manifest.digest === this.refused) throw failing('denied');
      await super.pushManifest(manifest, signal);
    }
  }

  it('are reported with what hangs on them, and the rest goes on', async () => {
    const store = new Choosy(sbom);

    const report = await copiedTo(store);

    expect(report.outcome).toBe('copied');
    expect(store.tags.get(tag)).toBe(root);
    expect(report.referrers).toContainEqual(
      expect.objectContaining({
        referrer: sbom,
        outcome: 'failed',
        error: expect.objectContaining({ code: 'target-denied', digest: sbom }),
      }),
    );
    expect(outcomesOf(report)).toMatchObject({ [signature]: 'failed', [remark]: 'failed', [ofPlatform]: 'copied' });
    expect(store.manifests.has(signature)).toBe(false);
  });

  it.each<[string, CopyOptions['referrers']]>([
    ['all are', { required: 'all' }],
    ['their type is', { required: [spdx] }],
    ['they are pinned', { pinned: [sbom] }],
    ['what hangs on them is', { pinned: [remark] }],
  ])('keep the tag from being written when %s required', async (_, referrers) => {
    const store = new Choosy(sbom);
    const other = new MemoryStore();
    const source = await storeWith(artifact, new MemoryStore());

    const report = await copyGraph(
      source,
      root,
      [
        { id: 't', store, tags: [tag] },
        { id: 'other', store: other, tags: [tag] },
      ],
      referrers === undefined ? {} : { referrers },
    );

    expect(report.targets.get('t')).toMatchObject({ outcome: 'failed', error: { code: 'target-denied', digest: sbom } });
    expect(store.tags.has(tag)).toBe(false);
    expect(other.tags.get(tag)).toBe(root);
  });

  it('at a blob leave it to the next one that shares it', async () => {
    const image = buildImage({ seed: 50 });
    const twins = [buildReferrer(image), buildReferrer(image, { annotations: { twin: 'true' } })];
    const source = await storeWith({ root: image, referrers: twins, cosignTags: [] }, new MemoryStore());
    const [, shared] = [...twins[0]!.blobs.keys()];
    let left = 1;
    class Failing extends MemoryStore {
      override async pushBlob(blob: BlobRef, content: Readable, options?: PushBlobOptions): Promise<void> {
        if (blob.digest !== shared || left === 0) return super.pushBlob(blob, content, options);
        left -= 1;
        content.destroy();
        throw failing('denied');
      }
    }

    const report = await copiedTo(new Failing(), { source, root: image.manifest.digest });

    expect(report.outcome).toBe('copied');
    expect(Object.values(outcomesOf(report)).sort()).toEqual(['copied', 'failed']);
  });

  it('because the source lacks them are reported', async () => {
    const source = await storeWith(artifact, new MemoryStore());
    const [, blob] = [...artifact.referrers[1]!.blobs.keys()] as [Digest, Digest];
    source.blobs.delete(blob);

    const report = await copiedTo(new MemoryStore(), { source });

    expect(report.referrers).toContainEqual(
      expect.objectContaining({
        referrer: signature,
        outcome: 'failed',
        error: expect.objectContaining({ code: 'source-missing', side: 'source' }),
      }),
    );
    expect(outcomesOf(report)).toMatchObject({ [sbom]: 'copied', [remark]: 'failed' });
  });

  it('because the list is out of date or made up are reported and not followed', async () => {
    const other = buildImage({ seed: 60 });
    const gone = buildReferrer(artifact.root, { seed: 61 });
    class Stale extends MemoryStore {
      override async *listReferrers(subject: Digest): AsyncIterable<Descriptor> {
        yield* super.listReferrers(subject);
        if (subject === root) yield* [descriptorOf(other.manifest), descriptorOf(gone.manifest)];
      }
    }
    const source = await storeWith(artifact, new Stale());
    await pushBuilt(source, other);
    const store = new MemoryStore();

    const report = await copiedTo(store, { source });

    expect(report.outcome).toBe('copied');
    const codes = new Map(report.referrers.flatMap((each) => ('error' in each ? [[each.referrer, each.error.code]] : [])));
    expect(codes).toEqual(
      new Map([
        [other.manifest.digest, 'source-invalid'],
        [gone.manifest.digest, 'source-missing'],
      ]),
    );
    expect(store.manifests.has(other.manifest.digest)).toBe(false);
  });

  it('by a made-up list elsewhere do not fail where they belong', async () => {
    // Somebody who may write a fallback tag lists a required SBOM under another manifest.
    class Lying extends MemoryStore {
      override async *listReferrers(subject: Digest): AsyncIterable<Descriptor> {
        yield* super.listReferrers(subject);
        if (subject !== root) yield descriptorOf(artifact.referrers[0]!.manifest);
      }
    }
    const source = await storeWith(artifact, new Lying());

    const report = await copiedTo(new MemoryStore(), { source, referrers: { required: [spdx] } });

    expect(report.outcome).toBe('copied');
    expect(report.referrers).toContainEqual(expect.objectContaining({ referrer: sbom, subject: root, outcome: 'copied' }));
  });

  it('are unfinished when their target fails', async () => {
    class Untagged extends MemoryStore {
      override async pushManifest(manifest: Manifest, signal?: AbortSignal): Promise<void> {
        if (manifest.digest === root) throw failing('denied');
        await super.pushManifest(manifest, signal);
      }
    }

    const report = await copiedTo(new Untagged());

    expect(report.outcome).toBe('failed');
    expect(new Set(Object.values(outcomesOf(report)))).toEqual(new Set(['cancelled']));
  });

  it('with a hook fail the target, for a hook is the caller’s own', async () => {
    const store = new MemoryStore();
    const hooks: CopyOptions['hooks'] = {
      beforeManifest: ({ manifest }) => {
        if (manifest.digest === remark) throw new Error('not recorded');
      },
    };

    expect(await copiedTo(store, { hooks })).toMatchObject({ outcome: 'failed', error: { code: 'hook-failed' } });
    expect(store.tags.has(tag)).toBe(false);
  });
});
