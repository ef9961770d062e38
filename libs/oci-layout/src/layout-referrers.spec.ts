import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type Descriptor,
  descriptorOf,
  type Digest,
  digestOf,
  hexOf,
  parseTag,
  referrerDescriptorOf,
  referrersTagOf,
} from '@waybill/oci-model';
import { buildImage, buildReferrer, contentErrorOf, pushBuilt } from '@waybill/testing';
import { OciLayout } from './layout.js';

const image = buildImage({ seed: 51 });
const first = buildReferrer(image, { artifactType: 'application/spdx+json', annotations: { a: 'b' } });
const second = buildReferrer(image, { seed: 2 });
const tag = referrersTagOf(image.manifest.digest);

let dir: string;
let layout: OciLayout;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'waybill-layout-'));
  layout = await OciLayout.create(dir);
  await pushBuilt(layout.store(), image);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Puts content where another tool would, past our own list. */
async function place(bytes: Uint8Array): Promise<Digest> {
  const digest = digestOf(bytes);
  await writeFile(join(dir, 'blobs/sha256', hexOf(digest)), bytes);
  return digest;
}

async function writeIndex(manifests: readonly object[]): Promise<void> {
  await writeFile(join(dir, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
}

async function listed(): Promise<readonly Descriptor[]> {
  const all: Descriptor[] = [];
  for await (const each of layout.store().listReferrers(image.manifest.digest)) all.push(each);
  return all.toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
}

const inOrder = (...all: readonly Descriptor[]): readonly Descriptor[] => all.toSorted((a, b) => (a.digest < b.digest ? -1 : 1));

describe('the referrers of a layout', () => {
  it('are found where oras leaves them: among the entries of index.json', async () => {
    await place(first.manifest.bytes);
    await writeIndex([descriptorOf(image.manifest), { ...descriptorOf(first.manifest), artifactType: first.artifactType }]);

    expect(await listed()).toEqual([referrerDescriptorOf(first.manifest)]);
  });

  it('are found where regctl leaves them: under the referrers tag', async () => {
    await place(first.manifest.bytes);
    const index = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.index.v1+json',
        manifests: [referrerDescriptorOf(first.manifest)],
      }),
    );
    const entry = { mediaType: 'application/vnd.oci.image.index.v1+json', digest: await place(index), size: index.byteLength };
    await writeIndex([{ ...entry, annotations: { 'org.opencontainers.image.ref.name': tag } }]);

    expect(await listed()).toEqual([referrerDescriptorOf(first.manifest)]);
  });

  it('are told once when they stand in both places', async () => {
    await pushBuilt(layout.store(), first);
    await layout.store().putTag(parseTag('sbom'), first.manifest);
    await place(second.manifest.bytes);
    const { manifests } = JSON.parse(await readFile(join(dir, 'index.json'), 'utf8')) as { readonly manifests: readonly object[] };
    await writeIndex([...manifests, descriptorOf(second.manifest)]);

    expect(await listed()).toEqual(inOrder(referrerDescriptorOf(first.manifest), referrerDescriptorOf(second.manifest)));
  });

  it('leave no index of referrers behind that a newer one took the place of', async () => {
    await pushBuilt(layout.store(), first);
    const before = await layout.store().resolveTag(tag);

    await pushBuilt(layout.store(), second);

    const files = await readdir(join(dir, 'blobs/sha256'));
    expect(files).not.toContain(before === undefined ? undefined : hexOf(before));
    expect(await listed()).toHaveLength(2);
  });

  it('are none of entries whose content is not there, or is no manifest', async () => {
    const nowhere = { ...descriptorOf(first.manifest) };
    await writeIndex([nowhere, { mediaType: 'text/plain', digest: image.config.digest, size: image.config.size }]);

    expect(await listed()).toEqual([]);
  });

  it('are not known when a manifest cannot be read', async () => {
    const digest = await place(first.manifest.bytes);
    await writeFile(join(dir, 'blobs/sha256', hexOf(digest)), 'broken');
    await writeIndex([descriptorOf(first.manifest)]);

    await expect(listed()).rejects.toMatchObject({ code: 'digest-mismatch' });
  });

  it('are not added to what is no list of referrers', async () => {
    await layout.store().putTag(tag, image.manifest);

    expect((await contentErrorOf(pushBuilt(layout.store(), first))).code).toBe('manifest-invalid');

    expect(await layout.store().resolveTag(tag)).toBe(image.manifest.digest);
  });
});

describe('a list of referrers read while more are pushed', () => {
  it('is never missing', async () => {
    const store = layout.store();
    await pushBuilt(store, buildReferrer(image, { seed: 1000 }));
    const pushed = Promise.all(Array.from({ length: 40 }, (_, seed) => pushBuilt(store, buildReferrer(image, { seed }))));
    const state = { isPushed: false };
    void pushed.finally(() => (state.isPushed = true));

    const lengths: number[] = [];
    while (!state.isPushed) {
      let length = 0;
      for await (const _ of store.listReferrers(image.manifest.digest)) length += 1;
      lengths.push(length);
    }
    await pushed;

    expect(Math.min(...lengths)).toBeGreaterThan(0);
    expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
  });
});
