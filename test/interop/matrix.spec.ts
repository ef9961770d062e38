import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { copyGraph, type CopyReport } from '@waybill/oci-copy';
import { type ContentStore, parseTag } from '@waybill/oci-model';
import { buildSignedArtifact, describeWith, expectContained, pushArtifact } from '@waybill/testing';
import { lackingAt } from './held-content.js';
import { openPlaces, type Place, type PlaceKind, placesWith } from './places.js';

const tag = parseTag('1.0.0');
/** A nested index with shared children in both formats, referrers of referrers, cosign's tags, an SBOM. */
const artifact = buildSignedArtifact();
const root = artifact.root.manifest.digest;

/** Every ordered pair of open places, and every one of different registries that want to know who comes. */
const pairs: readonly (readonly [PlaceKind, PlaceKind])[] = [
  ...pairsOf(openPlaces),
  ...pairsOf(placesWith('basic')).filter(([from, to]) => from !== to),
  ...pairsOf(placesWith('bearer')).filter(([from, to]) => from !== to),
];

for (const [from, to] of pairs) {
  const needs = [...new Set([...from.needs, ...to.needs])];
  describeWith(needs, `from ${from.name} to ${to.name}`, () => {
    let source: Place;
    let target: Place;
    let origin: ContentStore;
    let copy: ContentStore;
    let report: CopyReport;
    beforeAll(async () => {
      source = await from.open();
      target = await to.open();
      origin = await source.store('matrix/origin');
      copy = await target.store('matrix/copy');
      await pushArtifact(origin, artifact);
      await origin.putTag(tag, artifact.root.manifest);
      report = await bring(origin, copy);
    });
    afterAll(async () => {
      await source.dispose();
      await target.dispose();
    });

    it('brings everything along', async () => {
      const result = report.targets.get('copy');

      expect(result).toMatchObject({ outcome: 'copied' });
      expect(result?.referrers).toHaveLength(artifact.referrers.length + artifact.cosignTags.length);
      expect(result?.referrers.filter(({ outcome }) => outcome !== 'copied')).toEqual([]);
      expect(await copy.resolveTag(tag)).toBe(root);
    });

    it('holds at the target what the source holds, byte for byte', async () => {
      await expectContained(origin, copy, root);

      for (const built of [artifact.root, ...artifact.referrers, ...artifact.cosignTags.map(({ content }) => content)]) {
        expect(await lackingAt(copy, built)).toEqual([]);
      }
    });

    it('writes nothing when it is copied back', async () => {
      let back: CopyReport | undefined;

      const changes = await source.changesDuring(async () => (back = await bring(copy, origin)));

      expect(changes).toEqual([]);
      expect(back?.targets.get('copy')).toMatchObject({ outcome: 'already-present' });
    });
  });
}

function pairsOf(kinds: readonly PlaceKind[]): [PlaceKind, PlaceKind][] {
  return kinds.flatMap((from) => kinds.map((to): [PlaceKind, PlaceKind] => [from, to]));
}

async function bring(from: ContentStore, to: ContentStore): Promise<CopyReport> {
  return await copyGraph(from, root, [{ id: 'copy', store: to, tags: [tag] }], { referrers: 'all' });
}
