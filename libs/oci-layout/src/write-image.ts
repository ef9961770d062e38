import { Readable } from 'node:stream';
import { type Descriptor, type Digest, digestOf, type Manifest, manifestFromBytes, mediaType, type Tag } from '@waybill/oci-model';
import type { OciLayout } from './layout.js';
import type { LayerResult } from './layer/write-layer.js';

/** What runs when a container is made (image-spec v1.1.1, config.md "Properties"). */
export interface ImageConfig {
  readonly user?: string;
  /** `NAME=value` */
  readonly env?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly workingDir?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ImagePlan {
  /** From the bottom up. */
  readonly layers: readonly Pick<LayerResult, 'descriptor' | 'diffId'>[];
  readonly config: ImageConfig;
  readonly platform: { readonly os: string; readonly architecture: string; readonly variant?: string };
  readonly annotations?: Readonly<Record<string, string>>;
  /** The image's tag, or what makes one of the manifest's digest. */
  readonly tag: Tag | ((digest: Digest) => Tag);
}

export interface WrittenImage {
  readonly manifest: Manifest;
  readonly tag: Tag;
  /** Config and layers as they lie in the layout; with the manifest, everything that has to be moved. */
  readonly blobs: readonly Descriptor[];
}

/** Said by every image instead of the time it was made: equal content must give equal digests. */
const created = '1970-01-01T00:00:00Z';

/** Writes an image over layers that are in the layout already, and tags it. Rejects with ContentError. */
export async function writeImage(layout: OciLayout, plan: ImagePlan, signal?: AbortSignal): Promise<WrittenImage> {
  const store = layout.store();
  const configBytes = encode(configOf(plan));
  const config: Descriptor = { mediaType: mediaType.ociConfig, digest: digestOf(configBytes), size: configBytes.byteLength };
  await store.pushBlob(config, Readable.from([configBytes]), { signal });
  const manifest = manifestFromBytes(encode(manifestOf(config, plan)), mediaType.ociManifest);
  const tag = typeof plan.tag === 'function' ? plan.tag(manifest.digest) : plan.tag;
  await store.putTag(tag, manifest, signal);
  return { manifest, tag, blobs: [config, ...plan.layers.map((layer) => layer.descriptor)] };
}

function configOf({ platform, config, layers }: ImagePlan): object {
  return {
    created,
    architecture: platform.architecture,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    os: platform.os,
    config: {
      User: config.user,
      Env: config.env,
      Entrypoint: config.entrypoint,
      Cmd: config.cmd,
      WorkingDir: config.workingDir,
      Labels: config.labels === undefined ? undefined : sorted(config.labels),
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
  };
}

function manifestOf(config: Descriptor, { layers, annotations }: ImagePlan): object {
  return {
    schemaVersion: 2,
    mediaType: mediaType.ociManifest,
    config,
    layers: layers.map((layer) => layer.descriptor),
    annotations: annotations === undefined ? undefined : sorted(annotations),
  };
}

function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function encode(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
