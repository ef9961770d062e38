import { type ContentStore, ContentError, type Tag } from '@waybill/oci-model';
import { buildImage, buildIndex, pushBuilt } from '../images.js';
import { jestGlobals } from '../jest-globals.js';
import type { Fixtures } from './fixture.js';
import { itemsOf } from './reading.js';

const first = buildImage({ seed: 11 });
const second = buildImage({ seed: 12 });
const tag = '1.0.0' as Tag;

export function describeTags(fixtures: Fixtures): void {
  const { describe, expect, it } = jestGlobals();

  describe('tags', () => {
    it('resolves a tag to the digest it was given', async () => {
      const store = await fixtures.store();
      await pushBuilt(store, first);

      await store.putTag(tag, first.manifest);

      expect(await store.resolveTag(tag)).toBe(first.manifest.digest);
    });

    it('reads the same manifest by tag as by digest', async () => {
      const store = await fixtures.store();
      const index = buildIndex([first, second]);
      await pushBuilt(store, index);
      await store.putTag(tag, index.manifest);

      const read = await store.readManifest(tag);

      expect(read.digest).toBe(index.manifest.digest);
      expect(read.mediaType).toBe(index.manifest.mediaType);
      expect(Buffer.from(read.bytes).equals(index.manifest.bytes)).toBe(true);
    });

    it('moves a tag', async () => {
      const store = await fixtures.store();
      await pushBuilt(store, first);
      await pushBuilt(store, second);
      await store.putTag(tag, first.manifest);

      await store.putTag(tag, second.manifest);

      expect(await store.resolveTag(tag)).toBe(second.manifest.digest);
      expect(await itemsOf(store.listTags())).toEqual([tag]);
      expect((await store.readManifest(first.manifest.digest)).digest).toBe(first.manifest.digest);
    });

    it('resolves an absent tag to undefined', async () => {
      const store = await fixtures.store();
      await pushBuilt(store, first);
      await store.putTag(tag, first.manifest);

      expect(await store.resolveTag('2.0.0' as Tag)).toBeUndefined();
    });

    it('resolves a tag to undefined where nothing was ever pushed', async () => {
      const store = await fixtures.store();

      expect(await store.resolveTag(tag)).toBeUndefined();
    });

    it('lists every tag once, reserved ones included', async () => {
      const store = await fixtures.store();
      await pushBuilt(store, first);
      const tags = [tag, 'latest', 'v1_2', `sha256-${'a'.repeat(64)}.sig`, 'A'.repeat(128)] as Tag[];
      for (const each of tags) await store.putTag(each, first.manifest);

      const listed = await itemsOf(store.listTags());

      expect(listed.toSorted()).toEqual(tags.toSorted());
    });

    it('does not list what is only known by digest', async () => {
      const store = await fixtures.store();
      await pushBuilt(store, first);
      await pushBuilt(store, second);

      await store.putTag(tag, first.manifest);

      expect(await itemsOf(store.listTags())).toEqual([tag]);
    });

    it('lists none, or says not-found, where nothing was ever pushed', async () => {
      const store = await fixtures.store();

      expect(await tagsOrNone(store)).toEqual([]);
    });
  });
}

/** A registry need not tell a repository without tags from one that does not exist. */
async function tagsOrNone(store: ContentStore): Promise<Tag[]> {
  try {
    return await itemsOf(store.listTags());
  } catch (error) {
    if (error instanceof ContentError && error.code === 'not-found') return [];
    throw error;
  }
}
