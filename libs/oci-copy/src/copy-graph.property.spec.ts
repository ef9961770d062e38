import { describe, expect, it } from '@jest/globals';
import type { Digest, Manifest } from '@waybill/oci-model';
import { parseTag } from '@waybill/oci-model';
import {
  blobsOf,
  type BuiltArtifact,
  type BuiltContent,
  buildCosignTag,
  buildImage,
  buildIndex,
  buildReferrer,
  differencesBeneath,
  manifestsOf,
  MemoryStore,
  memoryStoreWith,
  pushArtifact,
} from '@waybill/testing';
import fc from 'fast-check';
import { copyGraph } from './copy-graph.js';
import { verifyGraph } from './verify-graph.js';

const tag = parseTag('1.0.0');

/** What one node of a random graph is made of; `picks` choose its children among the earlier nodes. */
interface Plan {
  readonly layers: number;
  readonly layerBytes: number;
  readonly seed: number;
  readonly picks: readonly number[];
}

const plan: fc.Arbitrary<Plan> = fc.record({
  layers: fc.integer({ min: 0, max: 3 }),
  layerBytes: fc.constantFrom(0, 1, 700, 150_000),
  seed: fc.integer({ min: 1, max: 4 }), // few seeds, so that images share layers or are the same
  picks: fc.array(fc.nat(), { maxLength: 3 }),
});

/** Nodes without picks are images, the others indexes over earlier nodes: nested, with shared children. */
const graph: fc.Arbitrary<BuiltContent> = fc.array(plan, { minLength: 1, maxLength: 8 }).map((plans) => {
  const nodes: BuiltContent[] = [];
  for (const { picks, ...image } of plans) {
    const children = picks.map((pick) => nodes[pick % Math.max(1, nodes.length)]).filter((node) => node !== undefined);
    nodes.push(children.length === 0 ? buildImage(image) : buildIndex(children));
  }
  return buildIndex(nodes.slice(-3));
});

/** What a target may hold before: any part of the graph, closed or not, as collections and broken copies leave it. */
function partOf(built: BuiltContent, keep: (digest: Digest) => boolean): MemoryStore {
  const store = new MemoryStore();
  for (const [digest, bytes] of blobsOf(built)) if (keep(digest)) store.blobs.set(digest, bytes);
  for (const manifest of manifestsOf(built)) if (keep(manifest.digest)) store.manifests.set(manifest.digest, manifest);
  return store;
}

function expectChildrenFirst(store: MemoryStore, built: BuiltContent, before: ReadonlySet<string>): void {
  const there = new Set<string>(before);
  const beneath = new Map(nodesOf(built).map((node) => [node.manifest.digest, childDigests(node)]));
  for (const { method, about } of store.calls) {
    if (method === 'pushManifest') expect(beneath.get(about as Digest)?.filter((digest) => !there.has(digest))).toEqual([]);
    if (method === 'putTag') expect(there).toContain(built.manifest.digest);
    if (method === 'pushBlob' || method === 'pushManifest') there.add(about);
  }
}

function nodesOf(built: BuiltContent): BuiltContent[] {
  return [built, ...built.children.flatMap(nodesOf)];
}

function childDigests(built: BuiltContent): Digest[] {
  return [...built.blobs.keys(), ...built.children.map((child) => child.manifest.digest)];
}

describe('copyGraph on random graphs and targets that hold any part of them', () => {
  const cases = fc.record({
    built: graph,
    salts: fc.array(fc.tuple(fc.nat(255), fc.nat(255)), { minLength: 1, maxLength: 3 }),
    blobsInParallel: fc.integer({ min: 1, max: 4 }),
    manifestCacheBytes: fc.constantFrom(0, 1000, 1_000_000),
  });

  it('leaves every target whole, reads each blob at most once, children first, and writes nothing the second time', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ built, salts, ...options }) => {
        const root = built.manifest.digest;
        const source = await memoryStoreWith(built);
        // A salt keeps a digest when its last byte, shifted, is below a threshold.
        const stores = salts.map(([salt, threshold]) =>
          partOf(built, (digest) => (Number.parseInt(digest.slice(-2), 16) + salt) % 256 < threshold),
        );
        const before = stores.map((store) => new Set<string>([...store.blobs.keys(), ...store.manifests.keys()]));
        const targets = stores.map((store, index) => ({ id: `t${index}`, store, tags: [tag] }));

        await copyGraph(source, root, targets, options);

        const reads = source.callsOf('readBlob');
        expect(new Set(reads).size).toBe(reads.length);
        for (const [index, store] of stores.entries()) {
          await expectWhole(store, built);
          expectChildrenFirst(store, built, before[index]!);
          store.calls.length = 0;
        }

        const again = await copyGraph(source, root, targets, options);
        for (const report of again.targets.values()) expect(report.outcome).toBe('already-present');
        for (const store of stores) {
          expect([...store.callsOf('pushBlob'), ...store.callsOf('pushManifest'), ...store.callsOf('putTag')]).toEqual([]);
        }
      }),
      { numRuns: 40 },
    );
  });
});

async function expectWhole(store: MemoryStore, built: BuiltContent): Promise<void> {
  expect(store.tags.get(tag)).toBe(built.manifest.digest);
  await verifyGraph(store, built.manifest.digest);
  for (const manifest of manifestsOf(built)) expectSameBytes(store.manifests.get(manifest.digest), manifest);
}

function expectSameBytes(actual: Manifest | undefined, expected: Manifest): void {
  expect(Buffer.compare(actual?.bytes ?? Buffer.alloc(0), expected.bytes)).toBe(0);
}

/** What is attached to the `pick`th of all manifests so far: by its subject, or by a tag of cosign's. */
const attachment = fc.record({ pick: fc.nat(), byTag: fc.boolean(), seed: fc.integer({ min: 1, max: 3 }) });

/** A graph with referrers of its manifests, of those referrers, and so on. */
const artifacts: fc.Arbitrary<BuiltArtifact> = fc
  .record({ root: graph, attachments: fc.array(attachment, { maxLength: 8 }) })
  .map(({ root, attachments }) => {
    const subjects = [...new Map(nodesOf(root).map((node) => [node.manifest.digest, node])).values()];
    const made = { root, referrers: [] as BuiltArtifact['referrers'][number][], cosignTags: [] as BuiltArtifact['cosignTags'][number][] };
    for (const { pick, byTag, seed } of attachments) {
      const subject = subjects[pick % subjects.length]!;
      const attached = byTag ? buildCosignTag(subject, { seeds: [seed] }) : undefined;
      const content = attached?.content ?? buildReferrer(subject, { seed });
      if (subjects.some(({ manifest }) => manifest.digest === content.manifest.digest)) continue;
      if (attached === undefined) made.referrers.push(buildReferrer(subject, { seed }));
      else if (made.cosignTags.some(({ tag: taken }) => taken === attached.tag)) continue;
      else made.cosignTags.push(attached);
      subjects.push(content);
    }
    return made;
  });

describe('copyGraph on random graphs with random referrers', () => {
  const cases = fc.record({
    artifact: artifacts,
    held: fc.tuple(fc.nat(255), fc.nat(255)),
    blobsInParallel: fc.integer({ min: 1, max: 4 }),
    manifestsInParallel: fc.integer({ min: 1, max: 4 }),
  });

  it('leaves what the source holds contained in the target, whatever that held, and writes nothing the second time', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ artifact, held: [salt, threshold], ...options }) => {
        const root = artifact.root.manifest.digest;
        const source = new MemoryStore();
        await pushArtifact(source, artifact);
        source.calls.length = 0;
        const store = partOf(artifact.root, (digest) => (Number.parseInt(digest.slice(-2), 16) + salt) % 256 < threshold);
        const targets = [{ id: 't', store, tags: [tag] }];

        await copyGraph(source, root, targets, { ...options, referrers: { required: 'all' } });

        const [reads, uploads] = [source.callsOf('readBlob'), store.callsOf('pushBlob')];
        expect([new Set(reads).size, new Set(uploads).size]).toEqual([reads.length, uploads.length]);
        expect(store.callsOf('putTag').at(-1)).toBe(tag);
        expect(await differencesBeneath(source, store, root)).toEqual([]);

        store.calls.length = 0;
        const again = await copyGraph(source, root, targets, { ...options, referrers: { required: 'all' } });
        expect(again.targets.get('t')?.outcome).toBe('already-present');
        expect([...store.callsOf('pushBlob'), ...store.callsOf('pushManifest'), ...store.callsOf('putTag')]).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});
