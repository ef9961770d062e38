import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type BlobRef, childrenOf, type Digest, hexOf, parseTag } from '@waybill/oci-model';
import { describeWith } from '@waybill/testing';
import { writeLayer } from './layer/write-layer.js';
import { OciLayout } from './layout.js';
import { type ImagePlan, writeImage } from './write-image.js';

let dir: string;
let layout: OciLayout;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'waybill-image-'));
  layout = await OciLayout.create(join(dir, 'layout'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function plan(into: OciLayout): Promise<ImagePlan> {
  return {
    layers: [
      await writeLayer([{ kind: 'text', path: 'etc/hostname', text: 'waybill' }], into),
      await writeLayer([{ kind: 'text', path: 'bin/tool', text: '#!/bin/sh\n', executable: true }], into),
    ],
    config: { user: '10001', env: ['PATH=/bin'], cmd: ['tool'], workingDir: '/srv', labels: { b: '2', a: '1' } },
    platform: { os: 'linux', architecture: 'arm64' },
    annotations: { 'org.opencontainers.image.version': '1.0', 'org.opencontainers.image.title': 'tool' },
    tag: parseTag('1.0'),
  };
}

async function contentOf(blob: BlobRef | undefined): Promise<unknown> {
  if (blob === undefined) throw new Error('the image has no such blob');
  return JSON.parse(await text(await layout.store().readBlob(blob)));
}

describe('writeImage', () => {
  it('writes a config that names the layers and how to run them', async () => {
    const written = await plan(layout);

    const { blobs } = await writeImage(layout, written);

    expect(await contentOf(blobs[0])).toEqual({
      created: '1970-01-01T00:00:00Z',
      architecture: 'arm64',
      os: 'linux',
      config: { User: '10001', Env: ['PATH=/bin'], Cmd: ['tool'], WorkingDir: '/srv', Labels: { a: '1', b: '2' } },
      rootfs: { type: 'layers', diff_ids: written.layers.map(({ diffId }) => diffId) },
    });
  });

  it('tags the manifest, which names everything else', async () => {
    const image = await writeImage(layout, await plan(layout));

    const manifest = await layout.store().readManifest(parseTag('1.0'));

    expect(manifest.digest).toBe(image.manifest.digest);
    expect(childrenOf(manifest).blobs).toEqual(image.blobs);
  });

  it('may be tagged by its own digest', async () => {
    const tag = (digest: Digest) => parseTag(`1.0-${hexOf(digest).slice(0, 12)}`);

    const image = await writeImage(layout, { ...(await plan(layout)), tag });

    expect(image.tag).toBe(tag(image.manifest.digest));
    expect(await layout.store().resolveTag(image.tag)).toBe(image.manifest.digest);
  });

  it('gives the same digest in another layout', async () => {
    const other = await OciLayout.create(join(dir, 'other'));

    const images = [await writeImage(layout, await plan(layout)), await writeImage(other, await plan(other))];

    expect(images[1]).toEqual(images[0]);
  });

  it('refuses layers that the layout does not have', async () => {
    const other = await OciLayout.create(join(dir, 'other'));

    await expect(writeImage(other, await plan(layout))).rejects.toMatchObject({ code: 'blob-unknown' });
  });
});

describeWith('skopeo', 'skopeo and a layout of ours', () => {
  const skopeo = async (...args: string[]) => (await promisify(execFile)('skopeo', args, { encoding: 'buffer' })).stdout;

  it('reads the manifest as we wrote it', async () => {
    const { manifest } = await writeImage(layout, await plan(layout));

    expect(await skopeo('inspect', '--raw', `oci:${layout.dir}:1.0`)).toEqual(manifest.bytes);
  });

  it('copies the image to a layout of its own, which we read', async () => {
    const { manifest, blobs } = await writeImage(layout, await plan(layout));

    await skopeo('copy', '--quiet', `oci:${layout.dir}:1.0`, `oci:${join(dir, 'theirs')}:copied`);

    const theirs = (await OciLayout.open(join(dir, 'theirs'))).store();
    expect((await theirs.readManifest(parseTag('copied'))).digest).toBe(manifest.digest);
    for (const blob of blobs) expect((await buffer(await theirs.readBlob(blob))).byteLength).toBe(blob.size);
  });
});
