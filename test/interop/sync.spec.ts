import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { syncRepository, type SyncReport } from '@waybill/oci-copy';
import { type ContentStore, isReservedTag, parseTag, type Tag } from '@waybill/oci-model';
import { buildImage, buildSignedArtifact, describeWith, expectContained, findServer, pushArtifact, pushBuilt } from '@waybill/testing';
import { type ClientHome, makeClientHome } from './clients.js';
import { openPlaces, type Place } from './places.js';

const signed = buildSignedArtifact();
const base = buildImage({ seed: 50 });
const images = [base, buildImage({ seed: 51, base }), buildImage({ seed: 52, base, mediaTypes: 'docker' })];
/** Several tags of some, so that there is something to find out once for all of them. */
const tags: readonly (readonly [Tag, (typeof images)[number]['manifest']])[] = [
  ...images.flatMap(({ manifest }, index) => [`1.${index}.0`, `1.${index}`].map((text) => [parseTag(text), manifest] as const)),
  [parseTag('2.0.0'), signed.root.manifest],
];
/** Kinds that are not on this machine are told of as such by the other suites. */
const targetKinds = openPlaces.filter(({ needs }) => needs.every((program) => findServer(program) !== undefined));

for (const from of openPlaces) {
  describeWith([...from.needs, 'skopeo'], `a repository of ${from.name}, brought to ${targetKinds.length} places at once`, () => {
    let source: Place;
    let origin: ContentStore;
    let home: ClientHome;
    let targets: { readonly id: string; readonly place: Place; readonly store: ContentStore }[];
    beforeAll(async () => {
      home = await makeClientHome([]);
      source = await from.open();
      origin = await source.store('sync/origin');
      for (const image of images) await pushBuilt(origin, image);
      await pushArtifact(origin, signed);
      for (const [tag, manifest] of tags) await origin.putTag(tag, manifest);
      targets = await Promise.all(
        targetKinds.map(async ({ name, open }) => {
          const place = await open();
          return { id: name, place, store: await place.store('sync/copy') };
        }),
      );
    });
    afterAll(async () => {
      for (const { place } of [{ place: source }, ...targets]) await place.dispose();
      await home.dispose();
    });

    const sync = (): Promise<SyncReport> => syncRepository(origin, targets, { referrers: 'all' });

    it('brings every tag with what refers to it', async () => {
      const report = await sync();

      for (const { id, store } of targets) {
        expect([id, report.targets.get(id)]).toMatchObject([id, { copied: tags.length, failed: 0, conflict: 0, referrersLeft: 0 }]);
        for (const [tag, manifest] of tags) expect([id, tag, await store.resolveTag(tag)]).toEqual([id, tag, manifest.digest]);
        await expectContained(origin, store, signed.root.manifest.digest);
      }
    });

    it('shows skopeo the same tags everywhere', async () => {
      for (const { place } of targets) {
        if (place.registry === undefined) continue;
        const listed = await home.run('skopeo', ['list-tags', '--tls-verify=false', `docker://${place.registry.host}/sync/copy`]);
        const seen = (JSON.parse(listed.toString()) as { readonly Tags: readonly string[] }).Tags.filter(
          (tag) => !isReservedTag(parseTag(tag)),
        );
        expect(seen.toSorted()).toEqual(tags.map(([tag]) => tag).toSorted());
      }
    });

    it('writes nothing when all of it is there', async () => {
      for (const { id, place, store } of targets) {
        let report: SyncReport | undefined;

        const changes = await place.changesDuring(async () => {
          report = await syncRepository(origin, [{ id, store }], { referrers: 'all' });
        });

        expect([id, changes]).toEqual([id, []]);
        expect([id, report?.targets.get(id)]).toMatchObject([id, { unchanged: tags.length, copied: 0 }]);
      }
    });
  });
}
