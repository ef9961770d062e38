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
import { basicCredentials } from './auth/static-credentials.js';
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

  it('keeps no upload session of a push whose source breaks before its first byte', async () => {
    const name = parseRepositoryName('sessions/broken');
    const opened: string[] = [];
    const content = new Readable({ read: () => undefined });
    const watcher = new RegistryClient({
      origin: registry.url,
      observe: (event) => {
        opened.push(event.method);
        if (event.method === 'POST') content.destroy(new Error('the source broke'));
      },
    });

    const error = await contentErrorOf(watcher.repository(name).pushBlob(blob, content));

    expect(error.message).toContain('the source broke');
    expect(opened.at(-1)).toBe('DELETE');
    expect(await sessionsOf(registry, name)).toEqual([]);
    watcher.close();
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
      const writes = [
        () => repository.putTag(tag, manifest),
        () => repository.pushManifest(manifest),
        () => repository.pushBlob(blob, streamOf(bytes)),
      ];
      for (const write of writes) {
        expect(await contentErrorOf(write())).toMatchObject({ code: 'unsupported', status: 405, retryable: false });
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
      ['a stranger', basicCredentials('bob', 'open sesame')],
      ['a wrong password', basicCredentials('anna', 'shut sesame')],
    ])('says unauthorized to %s', async (_title, write) => {
      const stranger = new RegistryClient({ origin: closed.url, ...(write === undefined ? {} : { credentials: { write } }) });
      const repository = stranger.repository(app);
      const { manifest } = buildImage();

      const attempts = [
        () => stranger.ping(),
        () => repository.resolveTag(tag),
        () => repository.probeBlob(blob),
        () => repository.putTag(tag, manifest),
      ];
      for (const attempt of attempts) {
        expect(await contentErrorOf(attempt())).toMatchObject({ code: 'unauthorized', status: 401, retryable: false });
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

/** Sessions that hold bytes; an empty folder with the state of a hash is all that Distribution leaves of a deleted one. */
async function sessionsOf(registry: RunningRegistry, name: RepositoryName): Promise<string[]> {
  const files = await readdir(join(registry.dataDir, 'docker/registry/v2/repositories', name, '_uploads'), { recursive: true });
  return files.filter((file) => /^[^/]+\/data$/.test(file));
}
