import {
  type ContentStore,
  type Descriptor,
  descriptorOf,
  digestOf,
  isReferrerLister,
  type Manifest,
  manifestFromBytes,
  mediaType,
  parseTag,
  referrerDescriptorOf,
  type ReferrerLister,
  referrersTagOf,
} from '@waybill/oci-model';
import { buildReferrer } from '../artifacts.js';
import { buildImage, buildIndex, type BuiltContent, pushBuilt } from '../images.js';
import { jestGlobals } from '../jest-globals.js';
import type { ContentStoreFeatures, Fixtures } from './fixture.js';
import { codeOf, itemsOf } from './reading.js';

const image = buildImage({ seed: 31 });
const other = buildImage({ seed: 32 });
const sbom = buildReferrer(image, { artifactType: 'application/spdx+json', annotations: { 'org.example.made': 'now' } });
const signature = buildReferrer(image, { artifactType: 'application/vnd.example.signature', seed: 2 });

export function describeReferrers(fixtures: Fixtures, features: ContentStoreFeatures): void {
  const { describe, expect, it } = jestGlobals();
  const lists = features.listsReferrers ?? true;

  describe('referrers', () => {
    it(lists ? 'are listed' : 'are not claimed to be listed', async () => {
      expect(isReferrerLister(await fixtures.store())).toBe(lists);
    });

    if (!lists) return;

    it('are none where nothing was ever pushed', async () => {
      const store = await listerOf(fixtures);

      expect(await itemsOf(store.listReferrers(digestOf(Buffer.from('never pushed'))))).toEqual([]);
    });

    it('are none of a manifest that nothing refers to', async () => {
      const store = await listerOf(fixtures);
      await pushBuilt(store, image);
      await pushBuilt(store, other);
      await pushBuilt(store, sbom);

      expect(await itemsOf(store.listReferrers(other.manifest.digest))).toEqual([]);
    });

    it('are told with their type and annotations', async () => {
      const store = await listerOf(fixtures);
      await pushBuilt(store, image);

      await pushBuilt(store, sbom);
      await pushBuilt(store, signature);

      expect(await listed(store, image)).toEqual(inOrder([described(sbom), described(signature)]));
    });

    it('that name no artifact type go by that of their config', async () => {
      const store = await listerOf(fixtures);
      const referring = imageReferringTo(image);
      await pushBuilt(store, image);

      await store.pushManifest(referring);

      expect(await listed(store, image)).toMatchObject([{ digest: referring.digest, artifactType: image.config.mediaType }]);
    });

    it('can be indexes', async () => {
      const store = await listerOf(fixtures);
      const referring = indexReferringTo(image, other);
      await pushBuilt(store, image);
      await pushBuilt(store, other);

      await store.pushManifest(referring);

      expect(await listed(store, image)).toEqual([referrerDescriptorOf(referring)]);
    });

    it('may come before what they refer to', async () => {
      const store = await listerOf(fixtures);

      await pushBuilt(store, sbom);

      expect(await listed(store, image)).toEqual([described(sbom)]);
    });

    it('can have referrers of their own', async () => {
      const store = await listerOf(fixtures);
      const ofSbom = buildReferrer(sbom, { seed: 3 });
      for (const each of [image, sbom, ofSbom]) await pushBuilt(store, each);

      expect(await listed(store, image)).toEqual([described(sbom)]);
      expect(await listed(store, sbom)).toEqual([described(ofSbom)]);
    });

    it('are listed once, however often they are pushed', async () => {
      const store = await listerOf(fixtures);
      await pushBuilt(store, image);
      await pushBuilt(store, sbom);

      await store.pushManifest(sbom.manifest);

      expect(await listed(store, image)).toEqual([described(sbom)]);
    });

    it('are listed when they are pushed under a tag', async () => {
      const store = await listerOf(fixtures);
      await pushBuilt(store, { ...sbom, manifest: other.manifest, blobs: new Map([...other.blobs, ...sbom.blobs]) });

      await store.putTag(parseTag('sbom'), sbom.manifest);

      expect(await listed(store, image)).toEqual([described(sbom)]);
    });

    it('are all listed when many come at once', async () => {
      const store = await listerOf(fixtures);
      const many = Array.from({ length: 8 }, (_, index) => buildReferrer(image, { seed: 100 + index }));

      await Promise.all(many.map((each) => pushBuilt(store, each)));

      expect(await listed(store, image)).toEqual(inOrder(many.map(described)));
    });

    it('are also those that another client wrote under the referrers tag', async () => {
      const store = await listerOf(fixtures);
      const byHand = { ...descriptorOf(other.manifest), artifactType: 'application/vnd.example.by-hand', annotations: { by: 'hand' } };
      for (const each of [image, other, sbom]) await pushBuilt(store, each);
      const before = await entriesUnderTag(store);

      await store.putTag(referrersTagOf(image.manifest.digest), indexOf([...before, { ...byHand, 'org.example.unknown': [1] }]));
      await pushBuilt(store, signature);

      expect(await listed(store, image)).toEqual(inOrder([described(sbom), byHand, described(signature)]));
      expect(await entriesUnderTag(store)).toContainEqual({ ...byHand, 'org.example.unknown': [1] });
    });

    it('are not known when something else stands under the referrers tag', async () => {
      const store = await listerOf(fixtures);
      await pushBuilt(store, image);
      await pushBuilt(store, other);

      await store.putTag(referrersTagOf(image.manifest.digest), other.manifest);

      expect(await codeOf(itemsOf(store.listReferrers(image.manifest.digest)))).toBe('manifest-invalid');
    });

    it('are not listed when the signal fired before', async () => {
      const store = await listerOf(fixtures);
      await pushBuilt(store, sbom);

      expect(await codeOf(itemsOf(store.listReferrers(image.manifest.digest, AbortSignal.abort())))).toBe('aborted');
    });
  });

  async function entriesUnderTag(store: ContentStore): Promise<readonly object[]> {
    const tag = referrersTagOf(image.manifest.digest);
    if ((await store.resolveTag(tag)) === undefined) return [];
    const { bytes } = await store.readManifest(tag);
    return (JSON.parse(Buffer.from(bytes).toString('utf8')) as { readonly manifests: readonly object[] }).manifests;
  }
}

async function listerOf(fixtures: Fixtures): Promise<ContentStore & ReferrerLister> {
  const store = await fixtures.store();
  if (!isReferrerLister(store)) throw new Error('a fixture of a store that lists referrers needs a ReferrerLister');
  return store;
}

async function listed(store: ReferrerLister, subject: BuiltContent): Promise<readonly Descriptor[]> {
  return inOrder(await itemsOf(store.listReferrers(subject.manifest.digest)));
}

function inOrder(descriptors: readonly Descriptor[]): readonly Descriptor[] {
  return descriptors.toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
}

function described(referrer: BuiltContent): Descriptor {
  return referrerDescriptorOf(referrer.manifest);
}

function imageReferringTo(subject: typeof image): Manifest {
  return encoded({ mediaType: mediaType.ociManifest, config: subject.config, layers: [], subject: descriptorOf(subject.manifest) });
}

function indexReferringTo(subject: BuiltContent, child: BuiltContent): Manifest {
  return encoded({
    mediaType: mediaType.ociIndex,
    manifests: buildIndex([child]).children.map((each) => descriptorOf(each.manifest)),
    artifactType: 'application/vnd.example.bundle',
    subject: descriptorOf(subject.manifest),
  });
}

function indexOf(manifests: readonly object[]): Manifest {
  return encoded({ mediaType: mediaType.ociIndex, manifests });
}

function encoded(content: Readonly<Record<string, unknown>> & { readonly mediaType: string }): Manifest {
  return manifestFromBytes(Buffer.from(JSON.stringify({ schemaVersion: 2, ...content })), content.mediaType);
}
