import {
  type ContentRemover,
  type ContentStore,
  digestOf,
  isContentRemover,
  isReferrerLister,
  parseTag,
  type Removal,
} from '@waybill/oci-model';
import { buildReferrer } from '../artifacts.js';
import { buildImage, buildIndex, pushBuilt, randomBytes, streamOf } from '../images.js';
import { jestGlobals } from '../jest-globals.js';
import type { ContentStoreFeatures, Fixtures } from './fixture.js';
import { codeOf, itemsOf, refOf } from './reading.js';

const image = buildImage({ seed: 41 });
const other = buildImage({ seed: 42, base: image });
const index = buildIndex([image, other]);
const absent = digestOf(Buffer.from('never pushed'));
const tag = parseTag('1.0.0');
const others = [parseTag('1.0'), parseTag('latest')];

type Remover = ContentStore & ContentRemover;

const operations: readonly (readonly [string, (store: Remover, signal: AbortSignal) => Promise<Removal>])[] = [
  ['deleteManifest', (store, signal) => store.deleteManifest(image.manifest.digest, signal)],
  ['deleteBlob', (store, signal) => store.deleteBlob(image.config.digest, signal)],
  ['untag', (store, signal) => store.untag(tag, signal)],
];

export function describeRemoval(fixtures: Fixtures, features: ContentStoreFeatures): void {
  const { describe, expect, it } = jestGlobals();
  const removes = features.removes ?? true;
  const isRough = removes === 'roughly';

  describe('removal', () => {
    if (removes === false) {
      it.each(operations)('%s is not offered, or unsupported', async (_name, operation) => {
        const store = await fixtures.store();
        await pushBuilt(store, image);
        await store.putTag(tag, image.manifest);

        if (isContentRemover(store)) expect(await codeOf(operation(store, new AbortController().signal))).toBe('unsupported');

        expect(await store.resolveTag(tag)).toBe(image.manifest.digest);
        expect(await store.probeBlob(image.config)).toBe(true);
      });
      return;
    }

    it(isRough ? 'takes a manifest away' : 'takes a manifest away, and its tags with it', async () => {
      const store = await removerOf(fixtures);
      for (const each of [image, other]) await pushBuilt(store, each);
      for (const each of [tag, ...others]) await store.putTag(each, image.manifest);
      await store.putTag(parseTag('other'), other.manifest);

      expect(await store.deleteManifest(image.manifest.digest)).toBe('removed');

      expect(await codeOf(store.readManifest(image.manifest.digest))).toBe('not-found');
      expect(await store.resolveTag(parseTag('other'))).toBe(other.manifest.digest);
      if (isRough) return;
      for (const each of [tag, ...others]) expect(await store.resolveTag(each)).toBeUndefined();
      expect(await itemsOf(store.listTags())).toEqual(['other']);
    });

    it('leaves what other manifests need', async () => {
      const store = await removerOf(fixtures);
      for (const each of [image, other]) await pushBuilt(store, each);

      await store.deleteManifest(image.manifest.digest);

      expect((await store.readManifest(other.manifest.digest)).digest).toBe(other.manifest.digest);
      for (const layer of other.layers) expect(await store.probeBlob(layer)).toBe(true);
    });

    it('takes an index away and leaves its children', async () => {
      const store = await removerOf(fixtures);
      await pushBuilt(store, index);

      await store.deleteManifest(index.manifest.digest);

      expect((await store.readManifest(image.manifest.digest)).digest).toBe(image.manifest.digest);
    });

    it('takes a blob away', async () => {
      const store = await removerOf(fixtures);
      const bytes = randomBytes(1000, 'a blob to delete');
      const blob = refOf(digestOf(bytes), bytes);
      await store.pushBlob(blob, streamOf(bytes));

      expect(await store.deleteBlob(blob.digest)).toBe('removed');

      expect(await store.probeBlob(blob)).toBe(false);
    });

    it('says what was not there', async () => {
      const store = await removerOf(fixtures);
      await pushBuilt(store, image);

      expect(await store.deleteManifest(absent)).toBe('absent');
      if (!isRough) expect(await store.deleteBlob(absent)).toBe('absent');
      expect(await store.untag(tag)).toBe('absent');
    });

    it('says that nothing is there where nothing was ever pushed', async () => {
      const store = await removerOf(fixtures);

      expect(await store.deleteManifest(absent)).toBe('absent');
      if (!isRough) expect(await store.deleteBlob(absent)).toBe('absent');
      expect(await store.untag(tag)).toBe('absent');
    });

    it('is done once', async () => {
      const store = await removerOf(fixtures);
      await pushBuilt(store, image);
      await store.putTag(tag, image.manifest);

      const outcomes = [await store.untag(tag), await store.untag(tag)];
      outcomes.push(await store.deleteManifest(image.manifest.digest), await store.deleteManifest(image.manifest.digest));

      expect(outcomes).toEqual(['removed', 'absent', 'removed', 'absent']);
    });

    it('lets come back what was removed', async () => {
      const store = await removerOf(fixtures);
      await pushBuilt(store, image);
      await store.deleteManifest(image.manifest.digest);

      await store.putTag(tag, image.manifest);

      expect((await store.readManifest(tag)).digest).toBe(image.manifest.digest);
    });

    it('of a tag leaves its manifest, the other tags and nothing else', async () => {
      const store = await removerOf(fixtures);
      await pushBuilt(store, image);
      for (const each of [tag, ...others]) await store.putTag(each, image.manifest);

      expect(await store.untag(tag)).toBe('removed');

      expect(await store.resolveTag(tag)).toBeUndefined();
      expect((await itemsOf(store.listTags())).toSorted()).toEqual(others.toSorted());
      for (const each of others) expect(await store.resolveTag(each)).toBe(image.manifest.digest);
    });

    it('of the last tag leaves the manifest and what is beneath it', async () => {
      const store = await removerOf(fixtures);
      await pushBuilt(store, index);
      await store.putTag(tag, index.manifest);

      await store.untag(tag);

      expect(Buffer.from((await store.readManifest(index.manifest.digest)).bytes).equals(index.manifest.bytes)).toBe(true);
      expect((await store.readManifest(image.manifest.digest)).digest).toBe(image.manifest.digest);
    });

    if (features.listsReferrers ?? true) {
      it('takes a referrer off the list, and another can be added', async () => {
        const store = await removerOf(fixtures);
        const [first, second, third] = [buildReferrer(image), buildReferrer(image, { seed: 2 }), buildReferrer(image, { seed: 3 })];
        for (const each of [image, first, second]) await pushBuilt(store, each);

        await store.deleteManifest(first.manifest.digest);
        await pushBuilt(store, third);

        const listed = isReferrerLister(store) ? await itemsOf(store.listReferrers(image.manifest.digest)) : [];
        expect(listed.map((each) => each.digest).toSorted()).toEqual([second.manifest.digest, third.manifest.digest].toSorted());
      });
    }

    it.each(operations)('%s removes nothing when its signal fired before', async (_name, operation) => {
      const store = await removerOf(fixtures);
      await pushBuilt(store, image);
      await store.putTag(tag, image.manifest);

      expect(await codeOf(operation(store, AbortSignal.abort()))).toBe('aborted');

      expect(await store.resolveTag(tag)).toBe(image.manifest.digest);
      expect(await store.probeBlob(image.config)).toBe(true);
    });
  });
}

async function removerOf(fixtures: Fixtures): Promise<Remover> {
  const store = await fixtures.store();
  if (!isContentRemover(store)) throw new Error('a fixture of a store that removes needs a ContentRemover');
  return store;
}
