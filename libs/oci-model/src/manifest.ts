import { z } from 'zod';
import { ContentError } from './content-error.js';
import { type Digest, digestOf, hashesTo, isDigest } from './digest.js';
import { isForeignLayer, isIndexMediaType, isManifestMediaType, mediaType } from './media-types.js';

/** No manifest may be larger (distribution-spec v1.1.1, "Pushing Manifests"). */
export const maxManifestBytes = 4 * 1024 * 1024;

/** image-spec v1.1.1, descriptor.md. Unknown properties are kept out: raw bytes hold them. */
export const Descriptor = z.object({
  mediaType: z.string().min(1),
  digest: z.string().refine(isDigest, 'not a digest'),
  size: z.int().min(0),
  artifactType: z.string().optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  platform: z
    .object({ architecture: z.string(), os: z.string(), variant: z.string().optional(), 'os.version': z.string().optional() })
    .optional(),
});
export type Descriptor = z.infer<typeof Descriptor>;

/** Raw bytes are the truth (DESIGN invariant 2); what is parsed is a view. */
export interface Manifest {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly mediaType: string;
}

const common = {
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  subject: Descriptor.optional(),
};
const ImageManifest = z.object({ ...common, config: Descriptor, layers: z.array(Descriptor) });
const ImageIndex = z.object({ ...common, manifests: z.array(Descriptor) });

/** A manifest's content as the image specification names it. */
export type ManifestView =
  ({ readonly kind: 'image' } & z.infer<typeof ImageManifest>) | ({ readonly kind: 'index' } & z.infer<typeof ImageIndex>);

/** What a manifest needs beneath it. Foreign layers are left out; duplicates appear once. */
export interface ManifestChildren {
  readonly manifests: readonly Descriptor[];
  readonly blobs: readonly Descriptor[];
  readonly foreign: readonly Descriptor[];
}

/**
 * Takes bytes as they came and makes a manifest of them.
 * `expected` is checked against the bytes; `declaredMediaType` is what the store or descriptor said.
 * @throws ContentError `manifest-too-large`, `digest-mismatch`, `manifest-invalid`
 */
export function manifestFromBytes(bytes: Uint8Array, declaredMediaType: string | undefined, expected?: Digest): Manifest {
  if (bytes.byteLength > maxManifestBytes) {
    throw new ContentError(`manifest has ${bytes.byteLength} bytes, more than the ${maxManifestBytes} allowed`, {
      code: 'manifest-too-large',
      operation: 'read manifest',
    });
  }
  if (expected !== undefined && !hashesTo(bytes, expected)) {
    throw new ContentError(`manifest hashes to ${digestOf(bytes)}, not to ${expected}`, {
      code: 'digest-mismatch',
      operation: 'read manifest',
      details: { expected },
    });
  }
  const digest = expected ?? digestOf(bytes);
  return { bytes, digest, mediaType: mediaTypeOf(bytes, declaredMediaType) };
}

/**
 * The parsed view of a manifest.
 * @throws ContentError `manifest-invalid`
 */
export function viewManifest(manifest: Manifest): ManifestView {
  const json = parseJson(manifest.bytes);
  const index = isIndexMediaType(manifest.mediaType);
  const parsed = index ? ImageIndex.safeParse(json) : ImageManifest.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid(`manifest ${manifest.digest} is malformed at /${issue?.path.join('/') ?? ''}: ${issue?.message ?? 'unreadable'}`);
  }
  return index
    ? { kind: 'index', ...(parsed.data as z.infer<typeof ImageIndex>) }
    : { kind: 'image', ...(parsed.data as z.infer<typeof ImageManifest>) };
}

/** @throws ContentError `manifest-invalid` */
export function childrenOf(manifest: Manifest): ManifestChildren {
  const view = viewManifest(manifest);
  if (view.kind === 'index') {
    return {
      manifests: unique(view.manifests.filter((child) => isManifestMediaType(child.mediaType))),
      blobs: unique(view.manifests.filter((child) => !isManifestMediaType(child.mediaType))),
      foreign: [],
    };
  }
  const content = [view.config, ...view.layers];
  return {
    manifests: [],
    blobs: unique(content.filter((child) => !isForeignLayer(child.mediaType))),
    foreign: unique(content.filter((child) => isForeignLayer(child.mediaType))),
  };
}

export function descriptorOf(manifest: Manifest): Descriptor {
  return { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.byteLength };
}

function mediaTypeOf(bytes: Uint8Array, declared: string | undefined): string {
  const bare = declared?.split(';')[0]?.trim().toLowerCase();
  if (bare === mediaType.dockerSchema1 || bare === mediaType.dockerSchema1Signed) throw schema1();
  if (bare !== undefined && isManifestMediaType(bare)) return bare;
  const json = parseJson(bytes) as { schemaVersion?: unknown; mediaType?: unknown; manifests?: unknown } | null;
  if (json?.schemaVersion === 1) throw schema1();
  if (typeof json?.mediaType === 'string' && isManifestMediaType(json.mediaType)) return json.mediaType;
  if (json?.schemaVersion === 2) return Array.isArray(json.manifests) ? mediaType.ociIndex : mediaType.ociManifest;
  throw invalid(`content of type "${bare ?? 'unknown'}" is no manifest`);
}

function schema1(): ContentError {
  return invalid('Docker schema 1 manifests are not supported: rebuild or re-push the image with a current client');
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new ContentError('manifest is not JSON', { code: 'manifest-invalid', operation: 'read manifest', cause });
  }
}

function invalid(message: string): ContentError {
  return new ContentError(message, { code: 'manifest-invalid', operation: 'read manifest' });
}

function unique(descriptors: readonly Descriptor[]): Descriptor[] {
  return [...new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor])).values()];
}
