import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, maxManifestBytes, parseTag } from '@waybill/oci-model';
import { buildImage, pushBuilt } from '@waybill/testing';
import { OciLayout } from './layout.js';

const image = buildImage({ seed: 31 });
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'waybill-layout-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const indexJson = async () => JSON.parse(await readFile(join(dir, 'index.json'), 'utf8')) as { manifests: object[] };

describe('creating a layout', () => {
  it('writes what the specification asks for', async () => {
    await OciLayout.create(join(dir, 'a/b'));

    expect(JSON.parse(await readFile(join(dir, 'a/b/oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' });
    expect(JSON.parse(await readFile(join(dir, 'a/b/index.json'), 'utf8'))).toMatchObject({ schemaVersion: 2, manifests: [] });
  });

  it('opens the layout that is there', async () => {
    const first = await OciLayout.create(dir);
    await pushBuilt(first.store(), image);
    await first.store().putTag(parseTag('1.0'), image.manifest);

    const second = await OciLayout.create(dir);

    expect(await second.store().resolveTag(parseTag('1.0'))).toBe(image.manifest.digest);
  });

  it('takes up what an interrupted creation left', async () => {
    await writeFile(join(dir, 'index.json'), '{');

    const layout = await OciLayout.create(dir);

    expect(await layout.manifests()).toEqual([]);
  });

  it('refuses a folder that holds something else', async () => {
    await writeFile(join(dir, 'thesis.txt'), 'x');

    await expect(OciLayout.create(dir)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('not empty'),
    });
    expect(await readdir(dir)).toEqual(['thesis.txt']);
  });

  it('removes half-written files of long ago, and no fresh ones', async () => {
    await OciLayout.create(dir);
    const scratch = join(dir, '.scratch');
    await writeFile(join(scratch, 'old'), '');
    await utimes(join(scratch, 'old'), 0, 0);
    await writeFile(join(scratch, 'fresh'), '');

    await OciLayout.create(dir);

    expect(await readdir(scratch)).toEqual(['fresh']);
  });
});

describe('opening what is no layout', () => {
  it.each<[string, Record<string, string>, string, string]>([
    ['an empty folder', {}, 'not-found', 'is no OCI image layout'],
    ['a marker that is not JSON', { 'oci-layout': 'x' }, 'manifest-invalid', 'is not JSON'],
    ['a marker of another version', { 'oci-layout': '{"imageLayoutVersion":"2.0.0"}' }, 'manifest-invalid', '/imageLayoutVersion'],
    ['a layout without an index', { 'oci-layout': '{"imageLayoutVersion":"1.0.0"}' }, 'not-found', 'index.json'],
    [
      'a broken index',
      { 'oci-layout': '{"imageLayoutVersion":"1.0.0"}', 'index.json': '{"schemaVersion":2' },
      'manifest-invalid',
      'index.json',
    ],
    [
      'an index with a digest that climbs',
      {
        'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
        'index.json': '{"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"sha256:../../x","size":1}]}',
      },
      'manifest-invalid',
      '/manifests/0/digest',
    ],
  ])('says so of %s', async (_what, files, code, message) => {
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);

    await expect(OciLayout.open(dir)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('says so of a folder that does not exist', async () => {
    await expect(OciLayout.open(join(dir, 'absent'))).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('a layout', () => {
  it('keeps what other tools wrote into its index', async () => {
    const layout = await OciLayout.create(dir);
    await pushBuilt(layout.store(), image);
    const foreign = { mediaType: 'x/y', digest: image.config.digest, size: 2, urls: ['https://example.org'], data: 'e30=' };
    await writeFile(join(dir, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [foreign], annotations: { a: 'b' } }));

    await layout.store().putTag(parseTag('1.0'), image.manifest);

    expect(await indexJson()).toMatchObject({ annotations: { a: 'b' }, manifests: [foreign, { digest: image.manifest.digest }] });
  });

  it('lists manifests with and without a name, and as tags only names that are tags', async () => {
    const layout = await OciLayout.create(dir);
    const { digest } = image.manifest;
    const entry = { mediaType: image.manifest.mediaType, digest, size: image.manifest.bytes.byteLength };
    const named = { ...entry, annotations: { 'org.opencontainers.image.ref.name': 'docker.io/library/app:1.0' } };
    await writeFile(join(dir, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry, named] }));

    const tags: string[] = [];
    for await (const tag of layout.store().listTags()) tags.push(tag);

    expect((await layout.manifests()).map(({ name }) => name)).toEqual([undefined, 'docker.io/library/app:1.0']);
    expect(tags).toEqual([]);
  });

  it('does not choose between two manifests of one name', async () => {
    const layout = await OciLayout.create(dir);
    const entry = (digest: string) => ({
      mediaType: image.manifest.mediaType,
      digest,
      size: 1,
      annotations: { 'org.opencontainers.image.ref.name': 'latest' },
    });
    const manifests = [entry(image.manifest.digest), entry(image.config.digest)];
    await writeFile(join(dir, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));

    await expect(layout.store().resolveTag(parseTag('latest'))).rejects.toMatchObject({ code: 'manifest-invalid' });
  });

  it('says that a tagged manifest is gone', async () => {
    const layout = await OciLayout.create(dir);
    await pushBuilt(layout.store(), image);
    await layout.store().putTag(parseTag('1.0'), image.manifest);
    await rm(join(dir, 'blobs', ...image.manifest.digest.split(':')));

    await expect(layout.store().readManifest(parseTag('1.0'))).rejects.toMatchObject({ code: 'not-found' });
  });

  it('reads no manifest of more than 4 MiB', async () => {
    const layout = await OciLayout.create(dir);
    const { digest } = await layout.addBlob(Readable.from([Buffer.alloc(maxManifestBytes + 1)]));

    await expect(layout.store().readManifest(digest)).rejects.toMatchObject({ code: 'manifest-too-large' });
  });

  it('takes a truncated blob for absent', async () => {
    const layout = await OciLayout.create(dir);
    await pushBuilt(layout.store(), image);
    await writeFile(join(dir, 'blobs', ...image.config.digest.split(':')), '');

    expect(await layout.store().probeBlob(image.config)).toBe(false);
  });

  it('keeps every tag of many put at once', async () => {
    const layout = await OciLayout.create(dir);
    await pushBuilt(layout.store(), image);

    await Promise.all(Array.from({ length: 20 }, (_, index) => layout.store().putTag(parseTag(`t${index}`), image.manifest)));

    expect(await layout.manifests()).toHaveLength(20);
  });

  it('goes on after an index that could not be changed', async () => {
    const layout = await OciLayout.create(dir);
    await pushBuilt(layout.store(), image);
    const text = await readFile(join(dir, 'index.json'), 'utf8');
    await writeFile(join(dir, 'index.json'), 'broken');
    await expect(layout.store().putTag(parseTag('a'), image.manifest)).rejects.toMatchObject({ code: 'manifest-invalid' });

    await writeFile(join(dir, 'index.json'), text);
    await layout.store().putTag(parseTag('b'), image.manifest);

    expect(await layout.store().resolveTag(parseTag('b'))).toBe(image.manifest.digest);
  });

  it('tells the digest of content that it is given', async () => {
    const layout = await OciLayout.create(dir);

    const added = await layout.addBlob(Readable.from([Buffer.from('a'), Buffer.from('bc')]));

    expect(added).toEqual({ digest: digestOf(Buffer.from('abc')), size: 3 });
    expect(await layout.store().probeBlob(added)).toBe(true);
    expect(await readdir(join(dir, '.scratch'))).toEqual([]);
  });

  it('says when it cannot write', async () => {
    const layout = await OciLayout.create(dir);
    await rm(join(dir, '.scratch'), { recursive: true });
    await mkdir(join(dir, 'blobs'), { recursive: true });
    await writeFile(join(dir, '.scratch'), 'a file in the way');

    const failure = layout.addBlob(Readable.from([Buffer.from('abc')]));

    await expect(failure).rejects.toMatchObject({ name: 'ContentError', operation: 'push blob' });
  });
});

describe('removing a tag', () => {
  const base = buildImage({ seed: 41 });
  const app = buildImage({ seed: 42, base });

  it('takes what only it needed, and leaves what others need', async () => {
    const layout = await OciLayout.create(dir);
    for (const [tag, built] of [
      ['base', base],
      ['app', app],
    ] as const) {
      await pushBuilt(layout.store(), built);
      await layout.store().putTag(parseTag(tag), built.manifest);
    }

    await layout.removeTag(parseTag('app'));

    const left = await readdir(join(dir, 'blobs/sha256'));
    expect(left.toSorted()).toEqual([base.manifest.digest, ...base.blobs.keys()].map((digest) => digest.split(':')[1]).toSorted());
    expect((await layout.manifests()).map(({ name }) => name)).toEqual(['base']);
  });

  it('takes nothing when what the others need cannot be read', async () => {
    const layout = await OciLayout.create(dir);
    for (const [tag, built] of [
      ['base', base],
      ['app', app],
    ] as const) {
      await pushBuilt(layout.store(), built);
      await layout.store().putTag(parseTag(tag), built.manifest);
    }
    await writeFile(join(dir, 'blobs', ...base.manifest.digest.split(':')), '{}');

    await expect(layout.removeTag(parseTag('app'))).rejects.toMatchObject({ code: 'digest-mismatch' });

    expect(await layout.store().resolveTag(parseTag('app'))).toBe(app.manifest.digest);
    for (const layer of app.layers) expect(await layout.store().probeBlob(layer)).toBe(true);
  });

  it('also takes a tag whose content is gone', async () => {
    const layout = await OciLayout.create(dir);
    await pushBuilt(layout.store(), app);
    await layout.store().putTag(parseTag('app'), app.manifest);
    await rm(join(dir, 'blobs', ...app.manifest.digest.split(':')));

    await layout.removeTag(parseTag('app'));

    expect(await layout.manifests()).toEqual([]);
  });

  it('leaves a layout without that tag as it is', async () => {
    const layout = await OciLayout.create(dir);
    await pushBuilt(layout.store(), app);
    await layout.store().putTag(parseTag('app'), app.manifest);

    await layout.removeTag(parseTag('other'));

    expect((await layout.store().readManifest(parseTag('app'))).digest).toBe(app.manifest.digest);
  });
});
