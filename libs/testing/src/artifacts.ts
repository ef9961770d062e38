import {
  algorithmOf,
  type ContentWriter,
  type Descriptor,
  descriptorOf,
  type Digest,
  digestOf,
  hexOf,
  manifestFromBytes,
  mediaType,
  parseTag,
  type Tag,
  type TagStore,
} from '@waybill/oci-model';
import { type BuiltContent, buildImage, buildIndex, pushBuilt, randomBytes } from './images.js';

/** A manifest that names its subject; its artifact type stands in the manifest, and its config is the empty one. */
export interface BuiltReferrer extends BuiltContent {
  readonly subject: Digest;
  readonly artifactType: string;
}

/** A manifest that is found by its tag alone, as cosign keeps signatures, attestations and SBOMs. */
export interface BuiltCosignTag {
  readonly subject: Digest;
  readonly tag: Tag;
  readonly content: BuiltContent;
}

/** A root with what refers to it and to what is beneath it, as one repository holds them. */
export interface BuiltArtifact {
  readonly root: BuiltContent;
  /** Subjects stand before what refers to them. */
  readonly referrers: readonly BuiltReferrer[];
  readonly cosignTags: readonly BuiltCosignTag[];
}

export interface BuildReferrerOptions {
  /** Default `application/vnd.example.note`. */
  readonly artifactType?: string;
  /** Bytes of its one layer, default 64. */
  readonly bytes?: number;
  /** Same seed and subject, same referrer. Default 1. */
  readonly seed?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export type CosignSuffix = 'sig' | 'att' | 'sbom';

export interface BuildCosignTagOptions {
  /** Default `sig`. */
  readonly suffix?: CosignSuffix;
  /** One layer for each: signatures of the same seed are the same. Default `[1]`. */
  readonly seeds?: readonly number[];
}

const emptyConfig = Buffer.from('{}');
const cosignLayers: Readonly<Record<CosignSuffix, string>> = {
  sig: 'application/vnd.dev.cosign.simplesigning.v1+json',
  att: 'application/vnd.dsse.envelope.v1+json',
  sbom: 'text/spdx+json',
};

/** Builds an artifact that refers to `subject` (image-spec v1.1.1, manifest.md "Guidelines for Artifact Usage"). */
export function buildReferrer(subject: BuiltContent, options: BuildReferrerOptions = {}): BuiltReferrer {
  const { artifactType = 'application/vnd.example.note', bytes = 64, seed = 1, annotations } = options;
  const layer = randomBytes(bytes, `referrer/${seed}`);
  const content = {
    schemaVersion: 2,
    mediaType: mediaType.ociManifest,
    artifactType,
    config: describe(emptyConfig, mediaType.ociEmpty),
    layers: [describe(layer, 'application/octet-stream')],
    subject: descriptorOf(subject.manifest),
    ...(annotations === undefined ? {} : { annotations }),
  };
  return { ...builtOf(content, [emptyConfig, layer]), subject: subject.manifest.digest, artifactType };
}

/** Builds what `cosign sign`, `attest` or `attach sbom` would push beside `subject`: a manifest without a subject, and its tag. */
export function buildCosignTag(subject: BuiltContent, options: BuildCosignTagOptions = {}): BuiltCosignTag {
  const { suffix = 'sig', seeds = [1] } = options;
  const layers = seeds.map((seed) => randomBytes(96, `${suffix}/${seed}/${subject.manifest.digest}`));
  const config = Buffer.from(JSON.stringify({ architecture: '', os: '', rootfs: { type: 'layers', diff_ids: layers.map(digestOf) } }));
  const content = {
    schemaVersion: 2,
    mediaType: mediaType.ociManifest,
    config: describe(config, mediaType.ociConfig),
    layers: layers.map((layer) => ({
      ...describe(layer, cosignLayers[suffix]),
      annotations: { 'dev.cosignproject.cosign/signature': layer.subarray(0, 32).toString('base64') },
    })),
  };
  const { digest } = subject.manifest;
  return {
    subject: digest,
    tag: parseTag(`${algorithmOf(digest)}-${hexOf(digest)}.${suffix}`),
    content: builtOf(content, [config, ...layers]),
  };
}

/**
 * Builds one of everything that a copy must bring along: a nested index with shared children in both
 * formats; on the root, on a platform's image and on a referrer, things that refer to it; an SBOM with
 * a signature of its own; cosign's three tags, one of them with a signature too.
 */
export function buildSignedArtifact({
  seed = 1,
  layerBytes = 1024,
}: { readonly seed?: number; readonly layerBytes?: number } = {}): BuiltArtifact {
  const base = buildImage({ seed: seed * 100, layerBytes });
  const arm = buildImage({ seed: seed * 100 + 1, layerBytes, base, platform: { os: 'linux', architecture: 'arm64' } });
  const docker = buildImage({ seed: seed * 100 + 2, layerBytes, mediaTypes: 'docker' });
  const root = buildIndex([buildIndex([base, arm]), docker, base]);

  const sbom = buildReferrer(root, { artifactType: 'application/spdx+json', seed: seed * 10 });
  const signature = buildReferrer(sbom, { artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json', seed: seed * 10 + 1 });
  const remark = buildReferrer(signature, { seed: seed * 10 + 2 });
  const ofPlatform = buildReferrer(arm, { artifactType: 'application/spdx+json', seed: seed * 10 + 3 });
  const attestation = buildCosignTag(base, { suffix: 'att', seeds: [seed] });
  return {
    root,
    referrers: [sbom, signature, remark, ofPlatform],
    cosignTags: [
      buildCosignTag(root, { seeds: [seed, seed + 1] }),
      buildCosignTag(root, { suffix: 'sbom', seeds: [seed] }),
      attestation,
      buildCosignTag(attestation.content, { seeds: [seed] }),
    ],
  };
}

/** Pushes an artifact whole, subjects first; of tags it writes only those that are cosign's. */
export async function pushArtifact(store: ContentWriter & TagStore, artifact: BuiltArtifact): Promise<void> {
  await pushBuilt(store, artifact.root);
  for (const referrer of artifact.referrers) await pushBuilt(store, referrer);
  for (const { tag, content } of artifact.cosignTags) {
    await pushBuilt(store, content);
    await store.putTag(tag, content.manifest);
  }
}

function builtOf(content: object, blobs: readonly Uint8Array[]): BuiltContent {
  const manifest = manifestFromBytes(Buffer.from(JSON.stringify(content)), undefined);
  return { manifest, blobs: new Map(blobs.map((bytes) => [digestOf(bytes), bytes])), children: [] };
}

function describe(bytes: Uint8Array, type: string): Descriptor {
  return { mediaType: type, digest: digestOf(bytes), size: bytes.byteLength };
}
