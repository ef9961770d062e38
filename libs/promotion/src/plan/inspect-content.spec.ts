import { describe, expect, it } from '@jest/globals';
import type { Manifest } from '@waybill/oci-model';
import type { ItemContent } from '../estimate.js';
import { forecastTarget, inspectContent } from './inspect-content.js';
import { blobNamed, contentError, FakeReader, imageOf, indexOf, requested, topologyWith } from './plan-fixtures.spec-helper.js';
import { planItems, type PlannedItem } from './plan-items.js';

const signal = new AbortController().signal;
const here = 'ci-snapshots/team-a/app';
const limits = { manifests: 64, probes: 64 };

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
  const content = await inspectContent(reader, plannedItem(), root, { signal, limits });
  return { reader, content };
}

describe('inspectContent', () => {
  it('lists the blobs of an image with their sizes', async () => {
    const root = imageOf('one', 'two', 'one');

    const { content, reader } = await inspect(root);

    expect(content.isWhole).toBe(true);
    expect(content.manifests).toEqual([{ digest: root.digest, size: root.bytes.byteLength }]);
    expect(content.blobs).toEqual(['config', 'one', 'two'].map((name) => ({ digest: blobNamed(name).digest, size: name.length })));
    expect(reader.asked).toEqual([]);
  });

  it('counts what several images share once, down through nested indexes', async () => {
    const [amd, arm] = [imageOf('base', 'amd'), imageOf('base', 'arm')];
    const nested = indexOf(arm, amd);

    const { content, reader } = await inspect(indexOf(amd, nested), [amd, arm, nested]);

    expect(content.manifests).toHaveLength(4);
    expect(content.blobs.map(({ digest }) => digest).sort()).toEqual(digestsOf('config', 'base', 'amd', 'arm').sort());
    expect(reader.asked).toHaveLength(3);
  });

  it('reads a bounded number of manifests, however many there are', async () => {
    const images = Array.from({ length: 70 }, (_, index) => imageOf(`layer ${index}`));
    const deeper = indexOf(imageOf('beyond the bound'));

    const { content, reader } = await inspect(indexOf(deeper, ...images), [deeper, ...images]);

    expect(content.manifests).toHaveLength(64);
    expect(content.isWhole).toBe(false);
    expect(reader.asked).toHaveLength(63);
  });

  it('fails as the source does when a child is not there', async () => {
    await expect(inspect(indexOf(imageOf('gone')))).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('forecastTarget', () => {
  const image = imageOf('one', 'two');
  const content: ItemContent = {
    manifests: [{ digest: image.digest, size: image.bytes.byteLength }],
    blobs: [blobNamed('one'), blobNamed('two')],
    isWhole: true,
  };
  const [target] = plannedItem().targets;
  if (target === undefined) throw new Error('nothing was planned');
  const asked = { ...target, item: 3, source: 'ci-snapshots' };
  const forecast = (reader: FakeReader, of = content, deadline = signal) => forecastTarget(reader, of, asked, { signal: deadline, limits });

  it('tells which manifests and blobs the target has', async () => {
    const reader = new FakeReader({ 'prod/team-a/app': { manifests: [image], blobs: [blobNamed('two'), blobNamed('three')] } });

    expect(await forecast(reader)).toEqual({
      item: 3,
      registry: 'prod',
      location: 'eu',
      mountable: false,
      seen: { present: new Set([image.digest, ...digestsOf('two')]), unknown: new Set() },
      unseen: undefined,
    });
  });

  it('tells that blobs can be mounted where both stand at one origin', async () => {
    const reader = new FakeReader({ 'prod/team-a/app': {} }, { oneOrigin: true });

    expect(await forecast(reader)).toMatchObject({ mountable: true, seen: { present: new Set(), unknown: new Set() } });
  });

  it.each([
    ['unreachable', 'unreachable'],
    ['denied', 'unauthorized'],
    ['aborted', 'deadline'],
  ] as const)('knows nothing of a target that is %s, and says why', async (code, unseen) => {
    const fails = { probeBlob: contentError(code), readManifest: contentError(code) };
    const reader = new FakeReader({ 'prod/team-a/app': { fails } });

    expect(await forecast(reader)).toMatchObject({ registry: 'prod', seen: undefined, unseen });
  });

  it('keeps what it has learnt of a target that then says no more', async () => {
    const reader = new FakeReader({ 'prod/team-a/app': { manifests: [image], fails: { probeBlob: contentError('rate-limited') } } });

    expect(await forecast(reader)).toMatchObject({
      seen: { present: new Set([image.digest]), unknown: new Set(digestsOf('one', 'two')) },
      unseen: 'rate-limited',
    });
  });

  it('asks no more of a target once it refused a question', async () => {
    const asking: AbortSignal[] = [];
    const reader = new FakeReader({ 'prod/team-a/app': { fails: { readManifest: contentError('unreachable') } } });
    const { repository } = reader;
    reader.repository = (name, of) => ({
      ...repository.call(reader, name, of),
      probeBlob: (_blob, given) =>
        new Promise((_resolve, reject) => {
          if (given !== undefined) asking.push(given);
          given?.addEventListener('abort', () => reject(contentError('aborted')));
        }),
    });

    expect(await forecast(reader)).toMatchObject({ seen: undefined, unseen: 'unreachable' });
    expect(asking.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  it('takes a broken answer for that one thing alone', async () => {
    const reader = new FakeReader({
      'prod/team-a/app': { blobs: [blobNamed('one')], fails: { readManifest: contentError('digest-mismatch') } },
    });

    expect(await forecast(reader)).toMatchObject({
      seen: { present: new Set(digestsOf('one')), unknown: new Set([image.digest]) },
      unseen: 'broken-answer',
    });
  });

  it('asks for a bounded number of things; the others are not known', async () => {
    const blobs = Array.from({ length: 70 }, (_, index) => blobNamed(`layer ${index}`));
    const reader = new FakeReader({ 'prod/team-a/app': { blobs } });

    const { seen, unseen } = await forecast(reader, { manifests: [], blobs, isWhole: true });

    expect(seen?.present.size).toBe(64);
    expect(seen?.unknown).toEqual(new Set(blobs.slice(64).map(({ digest }) => digest)));
    expect(unseen).toBe('too-many');
    expect(reader.asked).toHaveLength(64);
  });

  it('knows everything of nothing', async () => {
    const empty = { manifests: [], blobs: [], isWhole: true };

    expect(await forecast(new FakeReader({}), empty)).toMatchObject({
      seen: { present: new Set(), unknown: new Set() },
      unseen: undefined,
    });
  });

  it('hides no defect', async () => {
    const defect = new TypeError('undefined is not a function');
    const reader = new FakeReader({ 'prod/team-a/app': { fails: { probeBlob: defect } } });

    await expect(forecast(reader)).rejects.toBe(defect);
  });
});
