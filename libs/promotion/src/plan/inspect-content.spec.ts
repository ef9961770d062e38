import { describe, expect, it } from '@jest/globals';
import type { Manifest } from '@waybill/oci-model';
import type { ItemContent } from '../estimate.js';
import { forecastTarget, inspectContent } from './inspect-content.js';
import { blobNamed, contentError, FakeReader, imageOf, indexOf, requested, topologyWith } from './plan-fixtures.spec-helper.js';
import { planItems, type PlannedItem } from './plan-items.js';

const signal = new AbortController().signal;
const here = 'ci-snapshots/team-a/app';

function plannedItem(): PlannedItem {
  const [item] = planItems(topologyWith(), 'release', [requested(`${here}:1.0.0`)]);
  if (item === undefined) throw new Error('nothing was planned');
  return item;
}

function digestsOf(...names: readonly string[]): string[] {
  return names.map((name) => blobNamed(name).digest);
}

async function inspect(root: Manifest, beneath: readonly Manifest[] = []) {
  const reader = new FakeReader({ [here]: { manifests: beneath } });
  const content = await inspectContent(reader, plannedItem(), root, signal);
  return { reader, content };
}

describe('inspectContent', () => {
  it('lists the blobs of an image with their sizes', async () => {
    const { content, reader } = await inspect(imageOf('one', 'two', 'one'));

    expect(content.manifests).toBe(1);
    expect(content.blobs).toEqual(['config', 'one', 'two'].map((name) => ({ digest: blobNamed(name).digest, size: name.length })));
    expect(reader.asked).toEqual([]);
  });

  it('counts what several images share once, down through nested indexes', async () => {
    const [amd, arm] = [imageOf('base', 'amd'), imageOf('base', 'arm')];
    const nested = indexOf(arm, amd);

    const { content, reader } = await inspect(indexOf(amd, nested), [amd, arm, nested]);

    expect(content.manifests).toBe(4);
    expect(content.blobs.map(({ digest }) => digest).sort()).toEqual(digestsOf('config', 'base', 'amd', 'arm').sort());
    expect(reader.asked).toHaveLength(3);
  });

  it('reads a bounded number of manifests, however many there are', async () => {
    const images = Array.from({ length: 70 }, (_, index) => imageOf(`layer ${index}`));
    const deeper = indexOf(imageOf('beyond the bound'));

    const { content, reader } = await inspect(indexOf(deeper, ...images), [deeper, ...images]);

    expect(content.manifests).toBe(64);
    expect(reader.asked).toHaveLength(63);
  });

  it('fails as the source does when a child is not there', async () => {
    await expect(inspect(indexOf(imageOf('gone')))).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('forecastTarget', () => {
  const content: ItemContent = { manifests: 1, blobs: [blobNamed('one'), blobNamed('two')] };
  const [target] = plannedItem().targets;
  if (target === undefined) throw new Error('nothing was planned');
  const asked = { ...target, item: 3, source: 'ci-snapshots' };

  it('tells which blobs the target has', async () => {
    const reader = new FakeReader({ 'prod/team-a/app': { blobs: [blobNamed('two'), blobNamed('three')] } });

    expect(await forecastTarget(reader, content, asked, signal)).toEqual({
      item: 3,
      registry: 'prod',
      location: 'eu',
      mountable: false,
      present: new Set(digestsOf('two')),
    });
  });

  it('tells that blobs can be mounted where both stand at one origin', async () => {
    const reader = new FakeReader({ 'prod/team-a/app': {} }, { oneOrigin: true });

    expect(await forecastTarget(reader, content, asked, signal)).toMatchObject({ mountable: true, present: new Set() });
  });

  it('knows nothing of a target that cannot be asked', async () => {
    const reader = new FakeReader({ 'prod/team-a/app': { fails: { probeBlob: contentError('unreachable') } } });

    expect(await forecastTarget(reader, content, asked, signal)).toMatchObject({ registry: 'prod', present: undefined });
  });

  it('asks for a bounded number of blobs; the others count as missing', async () => {
    const blobs = Array.from({ length: 70 }, (_, index) => blobNamed(`layer ${index}`));
    const reader = new FakeReader({ 'prod/team-a/app': { blobs } });

    const forecast = await forecastTarget(reader, { manifests: 1, blobs }, asked, signal);

    expect(forecast.present?.size).toBe(64);
    expect(reader.asked).toHaveLength(64);
  });

  it('hides no defect', async () => {
    const defect = new TypeError('undefined is not a function');
    const reader = new FakeReader({ 'prod/team-a/app': { fails: { probeBlob: defect } } });

    await expect(forecastTarget(reader, content, asked, signal)).rejects.toBe(defect);
  });
});
