import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { descriptorOf, type Digest, hexOf, parseTag, referrersTagOf } from '@waybill/oci-model';
import { buildImage, buildReferrer, pushBuilt } from '@waybill/testing';
import { BlobFolder } from './blob-folder.js';
import { LayoutIndex } from './index-file.js';
import { OciLayout } from './layout.js';
import { LayoutReferrers } from './layout-referrers.js';
import { deleteManifest } from './remove-content.js';

const image = buildImage({ seed: 61 });
const tag = parseTag('1.0.0');

let dir: string;
let layout: OciLayout;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'waybill-layout-'));
  layout = await OciLayout.create(dir);
  await pushBuilt(layout.store(), image);
  await layout.store().putTag(tag, image.manifest);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A disk from which nothing can be removed, as at a crash right before. */
class Unremovable extends BlobFolder {
  override remove(digest: Digest): Promise<void> {
    return Promise.reject(new Error(`crashed before ${digest} was removed`));
  }
}

describe('removing from a layout', () => {
  it('takes the names before the content', async () => {
    const blobs = new Unremovable(dir);
    const index = new LayoutIndex(dir);

    const removal = deleteManifest({ index, blobs, referrers: new LayoutReferrers(blobs, index) }, image.manifest.digest);

    await expect(removal).rejects.toThrow('crashed before');
    expect(await layout.manifests()).toEqual([]);
    expect((await layout.store().readManifest(image.manifest.digest)).digest).toBe(image.manifest.digest);
  });

  it('keeps a manifest without a name in index.json, and there only once', async () => {
    await layout.store().putTag(parseTag('latest'), image.manifest);

    await layout.store().untag(tag);
    expect((await layout.manifests()).map(({ name }) => name)).toEqual(['latest']);
    await layout.store().untag(parseTag('latest'));

    expect(await layout.manifests()).toEqual([{ descriptor: descriptorOf(image.manifest) }]);
  });

  it('leaves other annotations of an entry when its name goes', async () => {
    const path = join(dir, 'index.json');
    const index = JSON.parse(await readFile(path, 'utf8')) as { readonly manifests: readonly [{ readonly annotations: object }] };
    const [entry] = index.manifests;
    await writeFile(path, JSON.stringify({ ...index, manifests: [{ ...entry, annotations: { ...entry.annotations, other: 'kept' } }] }));

    await layout.store().untag(tag);

    expect((await layout.manifests()).map(({ descriptor }) => descriptor.annotations)).toEqual([{ other: 'kept' }]);
  });

  it('does not delete as a blob what index.json names as a manifest', async () => {
    expect(await layout.store().deleteBlob(image.manifest.digest)).toBe('absent');

    expect((await layout.store().readManifest(tag)).digest).toBe(image.manifest.digest);
  });

  it('does not delete as a manifest what is a layer', async () => {
    const [layer] = image.layers;

    expect(await layout.store().deleteManifest(layer?.digest ?? image.config.digest)).toBe('absent');

    expect(await layout.store().probeBlob(layer ?? image.config)).toBe(true);
  });

  it('deletes a manifest whose bytes are broken', async () => {
    await writeFile(join(dir, 'blobs/sha256', hexOf(image.manifest.digest)), 'broken');

    expect(await layout.store().deleteManifest(image.manifest.digest)).toBe('removed');

    expect(await layout.manifests()).toEqual([]);
  });

  it('deletes a referrer whose list cannot be read, and leaves the list', async () => {
    const referrer = buildReferrer(image);
    await pushBuilt(layout.store(), referrer);
    await layout.store().putTag(referrersTagOf(image.manifest.digest), image.manifest);

    expect(await layout.store().deleteManifest(referrer.manifest.digest)).toBe('removed');

    expect(await layout.store().resolveTag(referrersTagOf(image.manifest.digest))).toBe(image.manifest.digest);
  });
});
