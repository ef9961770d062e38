// What a Distribution registry keeps on disk, written as it would write it: to push a hundred thousand images takes an hour.
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

const layer = Buffer.from('a layer that every image shares');

/** Stores an image of its own under each tag `v0`, `v1` and so on of a repository. */
export async function storeImages(root, repository, tags) {
  await storeBlob(root, repository, layer);
  for (let number = 0; number < tags; number += 1) await storeImage(root, repository, number);
}

async function storeImage(root, repository, number) {
  const config = Buffer.from(
    JSON.stringify({ created: '2026-01-01T00:00:00Z', os: 'linux', architecture: 'amd64', name: `${repository}:${number}` }),
  );
  await storeBlob(root, repository, config);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: descriptorOf('application/vnd.oci.image.config.v1+json', config),
      layers: [descriptorOf('application/vnd.oci.image.layer.v1.tar+gzip', layer)],
    }),
  );
  await storeData(root, manifest);
  const manifests = path.join(root, 'docker/registry/v2/repositories', repository, '_manifests');
  await storeLink(path.join(manifests, 'revisions/sha256', hexOf(manifest)), manifest);
  await storeLink(path.join(manifests, 'tags', `v${number}`, 'current'), manifest);
  await storeLink(path.join(manifests, 'tags', `v${number}`, 'index/sha256', hexOf(manifest)), manifest);
}

/** Makes a tag name what another one names, as a push from elsewhere would. */
export async function moveTag(client, repository, from, to) {
  const store = client.repository(repository);
  await store.putTag(to, await store.readManifest(from));
}

async function storeBlob(root, repository, bytes) {
  await storeData(root, bytes);
  await storeLink(path.join(root, 'docker/registry/v2/repositories', repository, '_layers/sha256', hexOf(bytes)), bytes);
}

async function storeData(root, bytes) {
  const folder = path.join(root, 'docker/registry/v2/blobs/sha256', hexOf(bytes).slice(0, 2), hexOf(bytes));
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'data'), bytes);
}

async function storeLink(folder, bytes) {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'link'), `sha256:${hexOf(bytes)}`);
}

function descriptorOf(mediaType, bytes) {
  return { mediaType, digest: `sha256:${hexOf(bytes)}`, size: bytes.byteLength };
}

function hexOf(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}
