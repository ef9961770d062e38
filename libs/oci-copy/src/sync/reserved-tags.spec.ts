import { describe, expect, it } from '@jest/globals';
import { referrersTagOf, type Tag } from '@waybill/oci-model';
import { buildCosignTag, buildIndex, buildReferrer, expectContained, MemoryStore, pushBuilt } from '@waybill/testing';
import { base, storeWith, synced, writesOf } from './syncing.spec-helper.js';

describe('syncRepository with reserved tags', () => {
  const signed = buildCosignTag(base);
  const sbom = buildReferrer(base, { artifactType: 'application/spdx+json' });

  async function signedSource(): Promise<MemoryStore> {
    const source = await storeWith({ '1.0.0': base }, new MemoryStore());
    await pushBuilt(source, signed.content);
    source.tags.set(signed.tag, signed.content.manifest.digest);
    await pushBuilt(source, sbom);
    await source.putTag(referrersTagOf(base.manifest.digest), buildIndex([sbom]).manifest);
    source.calls.length = 0;
    return source;
  }

  it('does not take them for tags', async () => {
    const source = await signedSource();
    const store = new MemoryStore();
    const asked: Tag[] = [];

    const { report } = await synced(source, { t: store }, { tags: (tag) => asked.push(tag) > 0 });

    expect([...store.tags.keys()]).toEqual(['1.0.0']);
    expect(asked).toEqual(['1.0.0']);
    expect(report.tags).toBe(1);
  });

  it('brings cosign’s as referrers, outside immutability, and leaves the fallback tag to the store', async () => {
    const source = await signedSource();
    const store = await storeWith({ '1.0.0': base }, new MemoryStore());
    const older = buildCosignTag(base, { seeds: [] });
    await pushBuilt(store, older.content);
    store.tags.set(signed.tag, older.content.manifest.digest);

    const { reports } = await synced(source, { t: store }, { referrers: 'all', isImmutable: () => true });

    expect(reports).toMatchObject([{ tag: '1.0.0', outcome: 'unchanged', copy: { outcome: 'copied', referrers: { length: 2 } } }]);
    expect(store.tags.get(signed.tag)).toBe(signed.content.manifest.digest);
    expect(store.tags.has(referrersTagOf(base.manifest.digest))).toBe(false);
    await expectContained(source, store, base.manifest.digest);
  });

  it('looks beneath unchanged tags for what refers to them, without asking the target for the content', async () => {
    const source = await signedSource();
    const store = await storeWith({ '1.0.0': base }, new MemoryStore());

    await synced(source, { t: store }, { referrers: 'all' });
    [source, store].forEach((each) => (each.calls.length = 0));
    const { report } = await synced(source, { t: store }, { referrers: 'all' });

    expect(report.targets.get('t')).toMatchObject({ unchanged: 1, copied: 0, referrersLeft: 0 });
    expect(writesOf(store)).toEqual([]);
    expect(store.callsOf('readManifest').sort()).toEqual([signed.content.manifest.digest, sbom.manifest.digest].sort());
    expect(source.callsOf('resolveTag')).toEqual(['1.0.0', signed.tag]);
  });

  it('counts referrers that were left, and goes on', async () => {
    const source = await signedSource();
    const store = await storeWith({ '1.0.0': base }, new MemoryStore());
    const other = buildCosignTag(base, { seeds: [9] });
    await pushBuilt(store, other.content);
    store.tags.set(signed.tag, other.content.manifest.digest);

    const { report } = await synced(source, { t: store }, { referrers: 'all' });

    expect(report.targets.get('t')).toMatchObject({ unchanged: 1, failed: 0, referrersLeft: 1 });
    expect(store.tags.get(signed.tag)).toBe(other.content.manifest.digest);
  });

  it('fails a tag whose required referrer does not arrive', async () => {
    const source = await signedSource();

    const { outcomes } = await synced(source, { t: new MemoryStore() }, { referrers: { required: ['application/vnd.example.absent'] } });

    expect(outcomes('t')).toEqual({ '1.0.0': 'failed' });
  });
});
