import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { parseRepositoryName, parseTag } from '@waybill/oci-model';
import { RegistryClient } from '@waybill/oci-registry';
import { blobsOf, buildImage, buildIndex, type BuiltContent, describeWith, type ImageFormat, pushBuilt } from '@waybill/testing';
import { RawRegistry } from './raw-http.spec-helper.js';

describeWith('skopeo', 'skopeo and the local registry', () => {
  let registry: RawRegistry;
  let dir: string;

  beforeEach(async () => {
    registry = await RawRegistry.start();
    dir = await mkdtemp(join(tmpdir(), 'waybill-skopeo-'));
  });
  afterEach(async () => {
    await registry.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const skopeo = async (...args: string[]) => (await promisify(execFile)('skopeo', args, { encoding: 'buffer' })).stdout;
  const copy = (from: string, to: string) =>
    skopeo('copy', '--quiet', '--all', '--preserve-digests', '--src-tls-verify=false', '--dest-tls-verify=false', from, to);
  const reference = (repository: string) => `docker://127.0.0.1:${registry.port}/${repository}:1.0`;

  async function fill(repository: string, built: BuiltContent): Promise<void> {
    const client = new RegistryClient({ origin: registry.url });
    const store = client.repository(parseRepositoryName(repository));
    await pushBuilt(store, built);
    await store.putTag(parseTag('1.0'), built.manifest);
    client.close();
  }

  it.each<[string, ImageFormat]>([
    ['OCI', 'oci'],
    ['Docker', 'docker'],
  ])('pulls and pushes a multi-platform image of %s types, byte for byte', async (_title, mediaTypes) => {
    const arm64 = { os: 'linux', architecture: 'arm64' };
    const index = buildIndex([buildImage({ mediaTypes }), buildImage({ mediaTypes, seed: 2, platform: arm64 })], { mediaTypes });
    await fill('source', index);

    await copy(reference('source'), `dir:${dir}`);
    await copy(`dir:${dir}`, reference('team/app'));

    expect(await skopeo('inspect', '--raw', '--tls-verify=false', reference('team/app'))).toEqual(Buffer.from(index.manifest.bytes));
    for (const digest of blobsOf(index).keys()) {
      expect((await registry.ask('HEAD', `/v2/team/app/blobs/${digest}`)).status).toBe(200);
    }
  });

  it('copies within the registry, where blobs are mounted', async () => {
    await fill('source', buildImage());

    await copy(reference('source'), reference('team/app'));
    const listed = await skopeo('list-tags', '--tls-verify=false', `docker://127.0.0.1:${registry.port}/team/app`);

    expect(JSON.parse(listed.toString('utf8'))).toMatchObject({ Tags: ['1.0'] });
  });
});
