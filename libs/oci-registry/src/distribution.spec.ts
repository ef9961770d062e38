import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type BlobRef, digestOf, hexOf, parseRepositoryName, parseTag, type RepositoryName } from '@waybill/oci-model';
import {
  buildImage,
  buildIndex,
  contentErrorOf,
  describeWith,
  findServer,
  pushBuilt,
  randomBytes,
  type RunningRegistry,
  startDockerRegistry,
  streamOf,
} from '@waybill/testing';
import { RegistryClient } from './registry-client.js';

const app = parseRepositoryName('team/app');
const tag = parseTag('1.0.0');
const bytes = randomBytes(2_000_000, 'a layer');
const blob: BlobRef = { digest: digestOf(bytes), size: bytes.byteLength };

/** What the contract of all stores does not say: Distribution as it really behaves. */
describeWith('docker-registry', 'Distribution', () => {
  let registry: RunningRegistry;
  let client: RegistryClient;
  beforeAll(async () => {
    registry = await startDockerRegistry({ blobCache: true });
    client = new RegistryClient({ origin: registry.url });
  });
  afterAll(async () => {
    client.close();
    await registry.stop();
  });

  it('answers a ping', async () => {
    await expect(client.ping()).resolves.toBeUndefined();
  });

  it('is not believed when it remembers a blob that it lost', async () => {
    const repository = client.repository(app);
    await repository.pushBlob(blob, streamOf(bytes));
    expect(await repository.probeBlob(blob)).toBe(true);
    const hex = hexOf(blob.digest);

    await rm(join(registry.dataDir, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data'));

    const head = await fetch(`${registry.url}/v2/${app}/blobs/${blob.digest}`, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(await repository.probeBlob(blob)).toBe(false);
  });

  it.each([
    ['breaks', () => Readable.from(breaking(), { objectMode: false })],
    ['is too short', () => streamOf(bytes.subarray(0, 1_000_000))],
    ['is something else', () => streamOf(randomBytes(bytes.byteLength, 'else'))],
  ])('keeps no upload session of a push whose source %s', async (title, source) => {
    const name = parseRepositoryName(`sessions/${title.replaceAll(' ', '-')}`);

    await expect(client.repository(name).pushBlob(blob, source())).rejects.toThrow();

    expect(await sessionsOf(registry, name)).toEqual([]);
  });

  it('keeps no upload session of a push that was aborted', async () => {
    const name = parseRepositoryName('sessions/aborted');
    const controller = new AbortController();
    let asked = 0;
    const content = new Readable({
      read() {
        asked += 1;
        if (asked === 1) this.push(bytes.subarray(0, 1_000_000));
        else controller.abort();
      },
    });

    const error = await contentErrorOf(client.repository(name).pushBlob(blob, content, { signal: controller.signal }));

    expect(error.code).toBe('aborted');
    expect(await sessionsOf(registry, name)).toEqual([]);
  });

  it('keeps no upload session of a mount that was refused and cancelled', async () => {
    const name = parseRepositoryName('sessions/mounted');

    const result = await client.repository(name).mountBlob({ digest: digestOf(Buffer.from('nowhere')), size: 7 }, app);
    expect(await sessionsOf(registry, name)).toHaveLength(1);
    if (!result.mounted) await result.upload?.cancel();

    expect(await sessionsOf(registry, name)).toEqual([]);
  });

  it('lists more tags than fit on one page', async () => {
    const repository = client.repository(parseRepositoryName('many/tags'));
    const image = buildImage({ layers: 0 });
    await pushBuilt(repository, image);
    const tags = Array.from({ length: 1100 }, (_, index) => parseTag(`0.0.${index}`));
    await Promise.all(tags.map((each) => repository.putTag(each, image.manifest)));

    const listed: string[] = [];
    for await (const each of repository.listTags()) listed.push(each);

    expect(listed.toSorted()).toEqual(tags.toSorted());
  });

  describe('when it is read-only', () => {
    let full: RunningRegistry;
    let reader: RegistryClient;
    beforeAll(async () => {
      full = await startDockerRegistry();
      reader = new RegistryClient({ origin: full.url });
      await pushBuilt(reader.repository(app), buildImage());
      await full.restart({ readOnly: true });
    });
    afterAll(async () => {
      reader.close();
      await full.stop();
    });

    it('is read, and says unsupported to writes', async () => {
      const repository = reader.repository(app);
      const { manifest } = buildImage();

      expect((await repository.readManifest(manifest.digest)).digest).toBe(manifest.digest);
      for (const write of [
        repository.putTag(tag, manifest),
        repository.pushManifest(manifest),
        repository.pushBlob(blob, streamOf(bytes)),
      ]) {
        expect(await contentErrorOf(write)).toMatchObject({ code: 'unsupported', status: 405, retryable: false });
      }
    });
  });

  describe('when it asks for a user', () => {
    const user = { username: 'anna', password: 'open sesame' };
    let closed: RunningRegistry;
    beforeAll(async () => {
      closed = await startDockerRegistry({ htpasswd: user });
    });
    afterAll(() => closed.stop());

    it.each([
      ['nobody', undefined],
      ['a stranger', { username: 'bob', password: 'open sesame' }],
      ['a wrong password', { username: 'anna', password: 'shut sesame' }],
    ])('lets %s neither read nor write', async (_title, read) => {
      const stranger = new RegistryClient({ origin: closed.url, ...(read === undefined ? {} : { read, write: read }) });
      const repository = stranger.repository(app);
      const { manifest } = buildImage();

      for (const work of [stranger.ping(), repository.resolveTag(tag), repository.probeBlob(blob), repository.putTag(tag, manifest)]) {
        expect(await contentErrorOf(work)).toMatchObject({ code: 'unauthorized', status: 401, retryable: false });
      }
      stranger.close();
    });
  });
});

describeWith(['docker-registry', 'skopeo'], 'what was pushed here', () => {
  it('is read by skopeo, byte for byte', async () => {
    const registry = await startDockerRegistry();
    const client = new RegistryClient({ origin: registry.url });
    const repository = client.repository(app);
    const index = buildIndex([buildImage(), buildImage({ seed: 2, platform: { os: 'linux', architecture: 'arm64' } })]);
    await pushBuilt(repository, index);
    await repository.putTag(tag, index.manifest);

    const raw = await promisify(execFile)(
      findServer('skopeo')?.path ?? '',
      ['inspect', '--raw', '--tls-verify=false', `docker://127.0.0.1:${registry.port}/${app}:${tag}`],
      { encoding: 'buffer' },
    );

    client.close();
    await registry.stop();
    expect(raw.stdout.equals(index.manifest.bytes)).toBe(true);
  });
});

async function* breaking(): AsyncGenerator<Buffer> {
  yield bytes.subarray(0, 1_000_000);
  await new Promise((resolve) => setImmediate(resolve));
  throw new Error('the source broke');
}

async function sessionsOf(registry: RunningRegistry, name: RepositoryName): Promise<string[]> {
  return await readdir(join(registry.dataDir, 'docker/registry/v2/repositories', name, '_uploads'));
}
