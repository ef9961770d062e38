import { createCipheriv, createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import {
  type ContentWriter,
  type Descriptor,
  descriptorOf,
  type Digest,
  digestOf,
  type Manifest,
  manifestFromBytes,
  mediaType,
} from '@waybill/oci-model';
import { tarOf } from './tar.js';
import { zstdFrameOf } from './zstd-frame.js';

export type ImageFormat = 'oci' | 'docker';
type Platform = NonNullable<Descriptor['platform']>;

/** An artifact in memory: a manifest with everything beneath it. */
export interface BuiltContent {
  readonly manifest: Manifest;
  /** The blobs that this manifest names itself. */
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
  /** The manifests that this manifest names, with theirs. */
  readonly children: readonly BuiltContent[];
  /** Set when this runs on one platform. */
  readonly platform?: Platform;
}

export interface BuiltImage extends BuiltContent {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export interface BuildImageOptions {
  /** How many layers of its own the image has, default 2. */
  readonly layers?: number;
  /** Random bytes in each of them, default 1024. */
  readonly layerBytes?: number;
  /** Same seed, same image. Default 1. */
  readonly seed?: number;
  readonly platform?: Platform;
  readonly mediaTypes?: ImageFormat;
  /** Of its own layers; zstd only in OCI images. Default gzip. */
  readonly compression?: 'gzip' | 'zstd';
  /** An image whose layers come beneath this one's. */
  readonly base?: BuiltImage;
}

export interface BuildIndexOptions {
  readonly mediaTypes?: ImageFormat;
  readonly annotations?: Readonly<Record<string, string>>;
}

const typesOf = {
  oci: {
    manifest: mediaType.ociManifest,
    index: mediaType.ociIndex,
    config: mediaType.ociConfig,
    layer: mediaType.ociLayerGzip,
  },
  docker: {
    manifest: mediaType.dockerManifest,
    index: mediaType.dockerManifestList,
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
} as const;

const zstdLayer = 'application/vnd.oci.image.layer.v1.tar+zstd';

/** Builds a valid image of seeded random content: real gzipped tar layers, a config with matching diff ids. */
export function buildImage(options: BuildImageOptions = {}): BuiltImage {
  const { layers = 2, layerBytes = 1024, seed = 1, mediaTypes = 'oci', compression = 'gzip', base } = options;
  const platform = options.platform ?? { os: 'linux', architecture: 'amd64' };
  const types = typesOf[mediaTypes];
  const tars = Array.from({ length: layers }, (_, index) => tarOf(`layer-${seed}-${index}`, randomBytes(layerBytes, `${seed}/${index}`)));
  const ownLayers = tars.map((tar) => (compression === 'zstd' ? zstdFrameOf(tar) : gzipSync(tar, { level: 0 })));

  const configBytes = encode({
    ...platform,
    config: {},
    rootfs: { type: 'layers', diff_ids: [...diffIdsOf(base), ...tars.map(digestOf)] },
  });
  const config = describe(configBytes, types.config);
  const layerDescriptors = [
    ...(base?.layers ?? []).map((layer) => ({ ...layer, mediaType: types.layer })),
    ...ownLayers.map((bytes) => describe(bytes, compression === 'zstd' ? zstdLayer : types.layer)),
  ];
  const blobs = new Map<Digest, Uint8Array>([[config.digest, configBytes]]);
  for (const layer of base?.layers ?? []) blobs.set(layer.digest, blobOf(base, layer.digest));
  for (const bytes of ownLayers) blobs.set(digestOf(bytes), bytes);

  const manifest = manifestOf({ schemaVersion: 2, mediaType: types.manifest, config, layers: layerDescriptors });
  return { manifest, blobs, children: [], platform, config, layers: layerDescriptors };
}

/** Builds an index over images or further indexes. */
export function buildIndex(children: readonly BuiltContent[], options: BuildIndexOptions = {}): BuiltContent {
  const { mediaTypes = 'oci', annotations } = options;
  const manifests = children.map((child) => ({
    ...descriptorOf(child.manifest),
    ...(child.platform === undefined ? {} : { platform: child.platform }),
  }));
  const manifest = manifestOf({
    schemaVersion: 2,
    mediaType: typesOf[mediaTypes].index,
    manifests,
    ...(annotations === undefined ? {} : { annotations }),
  });
  return { manifest, blobs: new Map(), children };
}

/** Every manifest of `built`, children before parents, each once. */
export function manifestsOf(built: BuiltContent): readonly Manifest[] {
  const found = new Map<Digest, Manifest>();
  for (const child of built.children) {
    for (const manifest of manifestsOf(child)) found.set(manifest.digest, manifest);
  }
  return [...found.set(built.manifest.digest, built.manifest).values()];
}

/** Every blob of `built` and what is beneath it. */
export function blobsOf(built: BuiltContent): ReadonlyMap<Digest, Uint8Array> {
  return new Map([...built.children.flatMap((child) => [...blobsOf(child)]), ...built.blobs]);
}

/** Pushes everything of `built` into `store`, children first; tags nothing. */
export async function pushBuilt(store: ContentWriter, built: BuiltContent): Promise<void> {
  for (const [digest, bytes] of blobsOf(built)) {
    await store.pushBlob({ digest, size: bytes.byteLength }, streamOf(bytes));
  }
  for (const manifest of manifestsOf(built)) await store.pushManifest(manifest);
}

/** `bytes` as a stream of chunks of 64 KiB, as a socket would give them. */
export function streamOf(bytes: Uint8Array): Readable {
  const chunk = 64 * 1024;
  const chunks = Array.from({ length: Math.ceil(bytes.byteLength / chunk) }, (_, index) =>
    Buffer.from(bytes.subarray(index * chunk, (index + 1) * chunk)),
  );
  return Readable.from(chunks, { objectMode: false });
}

/** Random bytes that depend on `seed` alone and do not compress. */
export function randomBytes(length: number, seed: string): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

function diffIdsOf(base: BuiltImage | undefined): readonly string[] {
  if (base === undefined) return [];
  const config = JSON.parse(Buffer.from(blobOf(base, base.config.digest)).toString('utf8')) as {
    readonly rootfs: { readonly diff_ids: readonly string[] };
  };
  return config.rootfs.diff_ids;
}

function blobOf(built: BuiltContent | undefined, digest: Digest): Uint8Array {
  const bytes = built?.blobs.get(digest);
  if (bytes === undefined) throw new Error(`the image in memory lacks its own blob ${digest}`);
  return bytes;
}

function describe(bytes: Uint8Array, type: string): Descriptor {
  return { mediaType: type, digest: digestOf(bytes), size: bytes.byteLength };
}

function manifestOf(content: Readonly<Record<string, unknown>> & { readonly mediaType: string }): Manifest {
  return manifestFromBytes(encode(content), content.mediaType);
}

function encode(content: object): Uint8Array {
  return Buffer.from(JSON.stringify(content));
}
