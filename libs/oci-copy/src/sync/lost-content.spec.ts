import { describe, expect, it } from '@jest/globals';
import { type Manifest, parseTag, type Tag } from '@waybill/oci-model';
import { buildImage, MemoryStore, memoryStoreWith, pushBuilt } from '@waybill/testing';
import { syncRepository } from './sync-repository.js';

/** As some registries do, it takes a manifest that it has already without a look beneath. */
class CredulousStore extends MemoryStore {
  override async putTag(tag: Tag, manifest: Manifest, signal?: AbortSignal): Promise<void> {
    if (this.manifests.has(manifest.digest)) this.tags.set(tag, manifest.digest);
    else await super.putTag(tag, manifest, signal);
  }
}

describe('a new tag on a digest that another tag names at the target', () => {
  it('comes with the content that the target has lost', async () => {
    const [old, latest] = [parseTag('1'), parseTag('2')];
    const image = buildImage({ seed: 1 });
    const source = await memoryStoreWith(image);
    for (const tag of [old, latest]) await source.putTag(tag, image.manifest);
    const target = new CredulousStore();
    await pushBuilt(target, image);
    await target.putTag(old, image.manifest);
    const [lost] = [...target.blobs.keys()];
    if (lost === undefined) throw new Error('an image has blobs');
    target.blobs.delete(lost);

    await syncRepository(source, [{ id: 'replica', store: target }]);

    expect(target.tags.get(latest)).toBe(image.manifest.digest);
    expect(target.blobs.has(lost)).toBe(true);
  });
});
