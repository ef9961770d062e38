import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { OciLayout } from '@waybill/oci-layout';
import { digestOf, parseRepositoryName, parseTag } from '@waybill/oci-model';
import { buildImage, buildIndex, type BuiltContent, MemoryStore, pushBuilt } from '@waybill/testing';
import { readTopologyFile } from '../topology/read-topology-file.js';
import { type LayoutImage, planGivenImage, planLayout } from './demonstration-image.js';

type Topology = Parameters<typeof planLayout>[0];

let topology: Topology;
let dir: string;
beforeAll(async () => {
  ({ topology } = await readTopologyFile(join(import.meta.dirname, '../../../../topology.example.yaml')));
});
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'waybill-image-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A layout with these images, by the names that its index gives them. */
async function layoutWith(name: string, images: Readonly<Record<string, BuiltContent>>): Promise<string> {
  const layout = await OciLayout.create(join(dir, name));
  const store = layout.store();
  for (const [tag, built] of Object.entries(images)) {
    await pushBuilt(store, built);
    await store.putTag(parseTag(tag), built.manifest);
  }
  return layout.dir;
}

const image = buildImage();
const other = buildImage({ seed: 2 });

describe('planGivenImage, of a layout', () => {
  it('pushes where a path to production begins, under the name of its folder', async () => {
    const folder = await layoutWith('My App', { '1.4.0': image });

    expect(await planGivenImage(topology, folder)).toMatchObject({
      path: { name: 'release' },
      reference: { registry: 'ci-snapshots', repository: 'team-demo/my-app', tag: '1.4.0' },
      content: { digest: image.manifest.digest },
    });
  });

  it('takes a multi-platform index whole', async () => {
    const index = buildIndex([image, other]);
    const folder = await layoutWith('app', { '1.4.0': index });

    expect(await planGivenImage(topology, folder)).toMatchObject({ content: { digest: index.manifest.digest } });
  });

  it('takes another path when production does not want such a tag', async () => {
    const folder = await layoutWith('app', { latest: image });

    expect(await planGivenImage(topology, folder)).toMatchObject({
      path: { name: 'verify' },
      reference: { registry: 'ci-tests', tag: 'latest' },
    });
  });

  it('takes the one of several that is named', async () => {
    const folder = await layoutWith('app', { '1.4.0': image, '1.5.0': other });

    expect(await planGivenImage(topology, `${folder}:1.5.0`)).toMatchObject({
      reference: { tag: '1.5.0' },
      content: { digest: other.manifest.digest },
    });
  });

  it.each([
    ['several images', (folder: string) => folder, /holds several images: name one of .*:1\.4\.0, .*:1\.5\.0$/],
    ['a tag that it does not hold', (folder: string) => `${folder}:9`, /holds no image tagged 9: name one of .*:1\.4\.0, .*:1\.5\.0$/],
  ])('refuses %s, and names those there are', async (_what, named, expected) => {
    const folder = await layoutWith('app', { '1.4.0': image, '1.5.0': other });

    await expect(planGivenImage(topology, named(folder))).rejects.toMatchObject({
      code: 'image-unusable',
      message: expect.stringMatching(expected),
    });
  });

  it('refuses a layout without an image, and a folder that is none', async () => {
    const empty = await layoutWith('empty', {});
    await mkdir(join(dir, 'plain'));

    await expect(planGivenImage(topology, empty)).rejects.toMatchObject({ message: expect.stringMatching(/holds no image$/) });
    await expect(planGivenImage(topology, join(dir, 'plain'))).rejects.toMatchObject({
      message: expect.stringContaining('is no OCI image layout'),
    });
  });
});

describe('planGivenImage, of a reference', () => {
  it('finds the path that carries it, and pushes nothing', async () => {
    const plan = await planGivenImage(topology, 'prod/team-a/app:1.4.0');

    expect(plan).toMatchObject({ path: { name: 'keep' }, reference: { registry: 'prod', repository: 'team-a/app', tag: '1.4.0' } });
    expect(plan.content).toBeUndefined();
  });

  it.each([
    ['./missing', 'image-unusable', 'there is no folder ./missing'],
    ['app', 'image-unusable', 'app is neither a folder nor a reference such as'],
    ['ci-snapshots/team-a/app', 'image-unusable', 'names no tag'],
    [`ci-snapshots/team-a/app@${digestOf(Buffer.alloc(0))}`, 'image-unusable', 'names no tag'],
    ['ci-snapshts/team-a/app:1.4.0', 'image-unusable', 'did you mean ci-snapshots?'],
    ['constructor/team-a/app:1.4.0', 'image-unusable', 'it has sandbox, ci-tests, ci-snapshots'],
    ['sandbox/team-a/app:1.4.0', 'no-path', 'no path of the topology begins at sandbox'],
    ['ci-snapshots/others/app:1.4.0', 'no-path', 'path "release" from ci-snapshots carries waybill, team-*/**'],
    ['ci-snapshots/team-a/app:latest', 'no-path', 'with tags v?[0-9]+'],
  ])('refuses %s', async (text, code, message) => {
    await expect(planGivenImage(topology, text)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });
});

describe('planLayout', () => {
  const own: LayoutImage = {
    store: new MemoryStore(),
    digest: image.manifest.digest,
    repositories: [parseRepositoryName('waybill')],
    tag: parseTag('0.1.0-3fa9c1d20b7e'),
  };

  it('finds the way of Waybill itself', () => {
    expect(planLayout(topology, own)).toMatchObject({
      path: { name: 'release' },
      reference: { registry: 'ci-snapshots', repository: 'waybill' },
    });
  });

  it('pushes to no registry that somebody else runs', () => {
    const { 'ci-snapshots': snapshots, 'ci-tests': tests, ...others } = topology.registries;
    const remote = { 'ci-snapshots': { ...snapshots!, local: undefined }, 'ci-tests': { ...tests!, local: undefined } };

    expect(() => planLayout({ ...topology, registries: { ...others, ...remote } }, own)).toThrow(
      'no path from a local registry carries an image named waybill',
    );
  });
});
