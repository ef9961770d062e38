import { chmod, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OciLayout } from '@waybill/oci-layout';
import type { BlobRef } from '@waybill/oci-model';
import { extract } from 'tar-stream';
import { packWaybillImage, type PackImageOptions } from './pack-waybill-image.js';
import type { PackProgress } from './packed-layer.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'waybill-pack-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A small repository with the shape of ours: three apps, a library, a dependency. */
const repository: Readonly<Record<string, string>> = {
  'package.json': '{"name":"waybill"}',
  LICENSE: 'Apache',
  'topology.example.yaml': 'kind: Topology',
  'prisma/schema.prisma': 'datasource db {}',
  'package-lock.json': JSON.stringify({
    lockfileVersion: 3,
    packages: {
      'apps/api': { dependencies: { '@waybill/lib': '1' } },
      'apps/worker': {},
      'apps/cli': { dependencies: { dep: '1' } },
      'libs/lib': { dependencies: { '@types/dep': '1' } },
      'node_modules/@waybill/lib': { link: true, resolved: 'libs/lib' },
      'node_modules/dep': {},
      'node_modules/@types/dep': {},
    },
  }),
  ...Object.fromEntries(
    ['apps/api', 'apps/worker', 'apps/cli', 'libs/lib'].flatMap((workspace) => [
      [`${workspace}/package.json`, '{"type":"module"}'],
      [`${workspace}/dist/main.js`, 'console.log(1)'],
      [`${workspace}/dist/main.js.map`, '{}'],
      [`${workspace}/src/main.ts`, ''],
    ]),
  ),
  'apps/cli/bin/waybill.mjs': '#!/usr/bin/env node\n',
  'node_modules/dep/package.json': '{}',
  'node_modules/dep/index.js': '',
  'node_modules/dep/README.md': '',
  'node_modules/@types/dep/package.json': '{}',
  'node_modules/unlisted/package.json': '{}',
};

interface Machine {
  readonly root: string;
  readonly node: string;
}

/** The repository and a Node that needs one library behind links, on a machine with clock and umask of its own. */
async function machine(name: string, mtime: number, mode: number): Promise<Machine> {
  const root = join(dir, name);
  for (const [path, content] of Object.entries(repository)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content, { mode });
    await utimes(join(root, path), mtime, mtime);
  }
  return { root, node: await nodeNeeding(['/usr/lib/os-release', 'linux-vdso.so.1', '/x/addon.node']) };
}

/** Answers what a Node answers that is asked for its libraries. */
async function nodeNeeding(libraries: readonly string[]): Promise<string> {
  const node = join(dir, 'node');
  await writeFile(node, `#!/bin/sh\necho '${JSON.stringify(libraries)}'\n`);
  await chmod(node, 0o755);
  await utimes(node, 1, 1);
  return node;
}

const pack = (from: Machine, layout: string, more: Partial<PackImageOptions> = {}) =>
  packWaybillImage({ ...from, layoutDir: join(dir, layout), version: '1.2.3', ...more });

interface Found {
  readonly layout: OciLayout;
  readonly manifest: { readonly config: BlobRef; readonly layers: readonly BlobRef[] };
}

async function imageIn(layoutDir: string): Promise<Found> {
  const layout = await OciLayout.open(layoutDir);
  const [image] = await layout.manifests();
  if (image === undefined) throw new Error('the layout is empty');
  const { bytes } = await layout.store().readManifest(image.descriptor.digest);
  return { layout, manifest: JSON.parse(Buffer.from(bytes).toString('utf8')) as Found['manifest'] };
}

async function configIn(layoutDir: string): Promise<unknown> {
  const { layout, manifest } = await imageIn(layoutDir);
  return await json(await layout.store().readBlob(manifest.config));
}

/** Files and links of one layer. */
async function pathsIn(layoutDir: string, place: number): Promise<string[]> {
  const { layout, manifest } = await imageIn(layoutDir);
  const blob = manifest.layers[place];
  if (blob === undefined) throw new Error('the image has no such layer');
  const paths: string[] = [];
  for await (const entry of (await layout.store().readBlob(blob)).pipe(createGunzip()).pipe(extract())) {
    const { name, type, linkname } = entry.header;
    if (type !== 'directory') paths.push(type === 'symlink' ? `${name} -> ${linkname}` : name);
    entry.resume();
  }
  return paths;
}

describe('the image of Waybill', () => {
  it('is the same from two machines that hold the same', async () => {
    const one = await pack(await machine('one', 1_000_000, 0o644), 'layout-one');
    const other = await pack(await machine('other', 2_000_000, 0o755), 'layout-other');

    expect(other.digest).toBe(one.digest);
    expect(other.reused).toBe(false);
  });

  it('is tagged by version and content', async () => {
    const { tag, digest } = await pack(await machine('one', 1, 0o644), 'layout');

    expect(tag).toBe(`1.2.3-${digest.slice('sha256:'.length, 'sha256:'.length + 12)}`);
  });

  it('holds the program and what it needs, and nothing else', async () => {
    const from = await machine('one', 1, 0o644);
    await pack(from, 'layout');

    expect(await pathsIn(join(dir, 'layout'), 0)).toEqual([
      'etc/group',
      'etc/nsswitch.conf',
      'etc/passwd',
      'usr/lib/os-release',
      'usr/local/bin/node',
    ]);
    expect(await pathsIn(join(dir, 'layout'), 1)).toEqual([
      'opt/waybill/node_modules/dep/index.js',
      'opt/waybill/node_modules/dep/package.json',
    ]);
    expect(await pathsIn(join(dir, 'layout'), 2)).toEqual([
      'opt/waybill/LICENSE',
      'opt/waybill/apps/api/dist/main.js',
      'opt/waybill/apps/api/package.json',
      'opt/waybill/apps/cli/bin/waybill.mjs',
      'opt/waybill/apps/cli/dist/main.js',
      'opt/waybill/apps/cli/package.json',
      'opt/waybill/apps/worker/dist/main.js',
      'opt/waybill/apps/worker/package.json',
      'opt/waybill/libs/lib/dist/main.js',
      'opt/waybill/libs/lib/package.json',
      'opt/waybill/node_modules/@waybill/lib -> ../../libs/lib',
      'opt/waybill/package.json',
      'opt/waybill/prisma/schema.prisma',
      'opt/waybill/topology.example.yaml',
      'usr/local/bin/waybill',
    ]);
  });

  it('says how it is run and what it is', async () => {
    await pack(await machine('one', 1, 0o644), 'layout');
    const config = await configIn(join(dir, 'layout'));

    expect(config).toMatchObject({
      created: '1970-01-01T00:00:00Z',
      os: 'linux',
      config: {
        User: '10001:10001',
        Cmd: ['waybill', '--help'],
        WorkingDir: '/opt/waybill',
        Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'HOME=/tmp', 'NODE_ENV=production'],
        Labels: { 'org.opencontainers.image.title': 'waybill', 'org.opencontainers.image.version': '1.2.3' },
      },
    });
  });

  it('tells the loader about libraries in places of their own', async () => {
    const from = await machine('one', 1, 0o644);
    await writeFile(join(dir, 'libown.so'), '');
    await pack({ ...from, node: await nodeNeeding([join(dir, 'libown.so')]) }, 'layout');

    expect(await configIn(join(dir, 'layout'))).toMatchObject({
      config: { Env: expect.arrayContaining([`LD_LIBRARY_PATH=${dir}`]) },
    });
  });

  it('reports bytes as they go by, layer by layer', async () => {
    const seen: PackProgress[] = [];

    const { layers } = await pack(await machine('one', 1, 0o644), 'layout', { onProgress: (progress) => seen.push(progress) });

    for (const { name, layer } of layers) expect(seen.findLast((progress) => progress.layer === name)?.bytes).toBe(layer.size);
  });

  it('of the Node that runs this holds that Node and its libraries', async () => {
    const { bytes } = await pack({ ...(await machine('one', 1, 0o644)), node: process.execPath }, 'layout');

    const paths = await pathsIn(join(dir, 'layout'), 0);
    expect(bytes).toBeGreaterThan(10_000_000);
    expect(paths).toContain('usr/local/bin/node');
    expect(paths.some((path) => /ld-(?:linux|musl)/.test(path))).toBe(true);
  }, 120_000);
});

describe('packing again', () => {
  it('reads nothing that has not changed', async () => {
    const from = await machine('one', 1, 0o644);
    const first = await pack(from, 'layout');

    const second = await pack(from, 'layout');

    expect(second.reused).toBe(true);
    expect({ ...second, reused: false, layers: [] }).toEqual({ ...first, layers: [] });
  });

  it('writes only the layer that changed, and removes the image of before', async () => {
    const from = await machine('one', 1, 0o644);
    const first = await pack(from, 'layout');
    await writeFile(join(from.root, 'apps/cli/dist/main.js'), 'console.log(2)');

    const second = await pack(from, 'layout');

    expect(second.layers.map(({ name, reused }) => [name, reused])).toEqual([
      ['runtime', true],
      ['dependencies', true],
      ['build', false],
    ]);
    expect(second.digest).not.toBe(first.digest);
    expect((await (await OciLayout.open(join(dir, 'layout'))).manifests()).map(({ name }) => name)).toEqual([second.tag]);
    expect(await readdir(join(dir, 'layout/blobs/sha256'))).toHaveLength(5);
  });

  it('gives the same image after a build that changed times alone', async () => {
    const from = await machine('one', 1, 0o644);
    const first = await pack(from, 'layout');
    await utimes(join(from.root, 'apps/cli/dist/main.js'), 5, 5);

    const second = await pack(from, 'layout');

    expect([second.digest, second.reused]).toEqual([first.digest, false]);
  });

  it('writes a layer again whose blob is gone, and takes a broken record for none', async () => {
    const from = await machine('one', 1, 0o644);
    const first = await pack(from, 'layout');
    await rm(join(dir, 'layout/blobs'), { recursive: true });
    const second = await pack(from, 'layout');
    await writeFile(join(dir, 'layout/waybill-pack.json'), '{');
    const third = await pack(from, 'layout');

    expect([second.digest, second.reused]).toEqual([first.digest, false]);
    expect([third.digest, third.reused]).toEqual([first.digest, false]);
  });
});

describe('packing fails', () => {
  it.each([
    ['build-missing', 'apps/worker/dist', 'build the repository first'],
    ['build-missing', 'topology.example.yaml', 'build the repository first'],
    ['dependency-missing', 'node_modules/dep', 'run npm install'],
    ['lock-unreadable', 'package-lock.json', 'cannot be read'],
  ])('with %s when %s is not there', async (code, path, message) => {
    const from = await machine('one', 1, 0o644);
    await rm(join(from.root, path), { recursive: true });

    await expect(pack(from, 'layout')).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('with runtime-unreadable when Node does not answer', async () => {
    const from = await machine('one', 1, 0o644);

    await expect(pack({ ...from, node: '/bin/false' }, 'layout')).rejects.toMatchObject({ code: 'runtime-unreadable' });
  });

  it('with aborted when it is cancelled, and leaves no half image', async () => {
    const controller = new AbortController();
    const from = await machine('one', 1, 0o644);

    const failure = pack(from, 'layout', { signal: controller.signal, onProgress: () => controller.abort() });

    await expect(failure).rejects.toMatchObject({ code: 'aborted' });
    expect(await (await OciLayout.open(join(dir, 'layout'))).manifests()).toEqual([]);
  });

  it.each([
    ['platform', 'darwin'],
    ['arch', 'riscv64'],
  ])('with platform-unsupported where the %s is %s, naming the way out', async (property, value) => {
    const real = Object.getOwnPropertyDescriptor(process, property) ?? {};
    Object.defineProperty(process, property, { ...real, value });
    try {
      await expect(pack({ root: dir, node: process.execPath }, 'layout')).rejects.toMatchObject({
        code: 'platform-unsupported',
        message: expect.stringContaining('--image'),
      });
    } finally {
      Object.defineProperty(process, property, real);
    }
  });
});
