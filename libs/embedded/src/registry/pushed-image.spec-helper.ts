import { createHash } from 'node:crypto';

/** Content of an image as a registry holds it. */
export interface PushedImage {
  readonly digest: string;
  /** Of the manifest, by which the registry's storage grows besides the blobs. */
  readonly manifestBytes: number;
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json';

export const digestOf = (content: string): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;

export async function pushBlob(repository: string, content: string): Promise<number> {
  const session = await fetch(`${repository}/blobs/uploads/`, { method: 'POST' });
  if (session.status !== 202) return session.status;
  const location = new URL(session.headers.get('location') ?? '', repository);
  location.searchParams.set('digest', digestOf(content));
  return (await fetch(location, { method: 'PUT', body: content })).status;
}

/** Pushes an image of these layers, the first of which is its config too, to `http://…/v2/<name>`. */
export async function pushImage(repository: string, tag: string, layers: readonly string[]): Promise<PushedImage> {
  for (const layer of layers) await pushBlob(repository, layer);
  const descriptors = layers.map((layer) => ({
    mediaType: 'application/vnd.oci.image.layer.v1.tar',
    digest: digestOf(layer),
    size: layer.length,
  }));
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(layers[0] ?? ''), size: layers[0]?.length };
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers: descriptors });
  const { status } = await fetch(`${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': manifestType },
    body: manifest,
  });
  if (status !== 201) throw new Error(`the manifest was refused with ${status}`);
  return { digest: digestOf(manifest), manifestBytes: Buffer.byteLength(manifest) };
}

export async function deleteManifest(repository: string, digest: string): Promise<number> {
  return (await fetch(`${repository}/manifests/${digest}`, { method: 'DELETE' })).status;
}

/** The statuses with which an image's manifest and layers are read to their end. */
export async function pullImage(repository: string, reference: string, layers: readonly string[]): Promise<readonly number[]> {
  const manifest = await fetch(`${repository}/manifests/${reference}`, { headers: { accept: manifestType } });
  await manifest.arrayBuffer();
  const blobs = await Promise.all(layers.map((layer) => fetch(`${repository}/blobs/${digestOf(layer)}`)));
  await Promise.all(blobs.map((blob) => blob.arrayBuffer()));
  return [manifest.status, ...blobs.map(({ status }) => status)];
}
