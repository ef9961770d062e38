import { describe, expect, it } from '@jest/globals';
import { isContentRemover, parseTag } from '@waybill/oci-model';
import { buildImage, pushBuilt } from '@waybill/testing';
import { openPlaces } from './places.js';

const image = buildImage({ seed: 1, layers: 1 });

describe('a place on disk', () => {
  it('tells what was written, written again and taken away', async () => {
    const layouts = openPlaces.find(({ name }) => name === 'an OCI layout');
    const place = await layouts!.open();
    const store = await place.store('app');
    const blob = image.layers[0]!;

    const pushed = await place.changesDuring(() => pushBuilt(store, image));
    const tagged = await place.changesDuring(() => store.putTag(parseTag('v1'), image.manifest));
    const read = await place.changesDuring(() => store.readManifest(parseTag('v1')));
    const removed = await place.changesDuring(async () => (isContentRemover(store) ? store.deleteBlob(blob.digest) : undefined));
    await place.dispose();

    expect(pushed).toHaveLength(3);
    expect(tagged).toContainEqual(expect.stringContaining('index.json'));
    expect(read).toEqual([]);
    expect(removed).toEqual([expect.stringMatching(/ is gone$/)]);
  });
});
