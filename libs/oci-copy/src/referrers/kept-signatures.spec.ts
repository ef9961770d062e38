import { describe, expect, it } from '@jest/globals';
import { type Manifest, manifestFromBytes } from '@waybill/oci-model';
import { type BuiltContent, buildCosignTag, buildImage, MemoryStore, pushBuilt } from '@waybill/testing';
import { copyGraph } from '../copy-graph.js';

const image = buildImage({ seed: 1 });
const { tag, content } = buildCosignTag(image);

/** One payload signed with several keys: cosign keeps each signature in the annotations of a layer. */
function signedBy(...keys: readonly string[]): BuiltContent {
  const signed = JSON.parse(Buffer.from(content.manifest.bytes).toString('utf8')) as { layers: readonly object[] };
  const layers = keys.map((key) => ({ ...signed.layers[0], annotations: { 'dev.cosignproject.cosign/signature': key } }));
  return { ...content, manifest: manifestFromBytes(Buffer.from(JSON.stringify({ ...signed, layers })), undefined) };
}

async function storeWith(signature: BuiltContent, store = new MemoryStore()): Promise<MemoryStore> {
  await pushBuilt(store, image);
  await pushBuilt(store, signature);
  await store.putTag(tag, signature.manifest);
  return store;
}

async function copied(source: MemoryStore, target: MemoryStore) {
  const report = await copyGraph(source, image.manifest.digest, [{ id: 'prod', store: target }], { referrers: 'all' });
  return report.targets.get('prod')?.referrers.map(({ outcome }) => outcome);
}

const held = (store: MemoryStore): Manifest['digest'] | undefined => store.tags.get(tag);

describe('signatures over the same payload', () => {
  it.each([
    { there: ['theirs'], here: ['ours'] },
    { there: ['ours', 'theirs'], here: ['ours'] },
  ])('of $there at the target are not lost to $here at the source', async ({ there, here }) => {
    const target = await storeWith(signedBy(...there));

    expect(await copied(await storeWith(signedBy(...here)), target)).toEqual(['conflict']);
    expect(held(target)).toBe(signedBy(...there).manifest.digest);
  });

  it('are replaced by more that hold them too', async () => {
    const target = await storeWith(signedBy('theirs'));

    expect(await copied(await storeWith(signedBy('ours', 'theirs')), target)).toEqual(['copied']);
    expect(held(target)).toBe(signedBy('ours', 'theirs').manifest.digest);
  });
});

describe('a tag of cosign’s that somebody else writes during the copy', () => {
  /** Somebody signs with `theirs` while we push what our own tag is to name. */
  class Contested extends MemoryStore {
    constructor(private readonly theirs: BuiltContent) {
      super();
    }

    override async pushManifest(manifest: Manifest, signal?: AbortSignal): Promise<void> {
      await super.pushManifest(manifest, signal);
      if (manifest.digest !== ours.manifest.digest) return;
      this.manifests.set(this.theirs.manifest.digest, this.theirs.manifest);
      this.tags.set(tag, this.theirs.manifest.digest);
    }
  }
  const ours = signedBy('a', 'b');

  it.each([
    { theirs: ['c'], outcome: 'conflict', left: signedBy('c') },
    { theirs: ['a', 'b', 'c'], outcome: 'conflict', left: signedBy('a', 'b', 'c') },
    { theirs: ['a'], outcome: 'copied', left: ours },
  ])('with signatures by $theirs ends as $outcome', async ({ theirs, outcome, left }) => {
    const target = new Contested(signedBy(...theirs));

    expect(await copied(await storeWith(ours), target)).toEqual([outcome]);
    expect(held(target)).toBe(left.manifest.digest);
  });

  it('to name the same is not written a second time', async () => {
    const target = new Contested(ours);

    expect(await copied(await storeWith(ours), target)).toEqual(['copied']);
    expect(target.callsOf('putTag')).toEqual([]);
  });
});
