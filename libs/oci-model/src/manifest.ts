import { z } from 'zod';
import { ContentError } from './content-error.js';
import { type Digest, digestOf, hashesTo, isDigest } from './digest.js';
import { manifestTypeOf } from './manifest-type.js';
import { isForeignLayer, isIndexMediaType, isManifestMediaType, isSchema1MediaType } from './media-types.js';
import { invalidManifest, schema1Refused } from './refused-manifest.js';

/** No manifest may be larger (distribution-spec v1.1.1, "Pushing Manifests"). */
export const maxManifestBytes = 4 * 1024 * 1024;

/**
 * A media type by its naming requirements (RFC 6838, section 4.2), which image-spec v1.1.1, descriptor.md demands.
 * Parameters are let through, as artifacts carry them; control characters are not.
 */
const mediaTypeGrammar = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}(?: ?;[\x20-\x7e]{1,255})?$/i;

/** image-spec v1.1.1, descriptor.md. Unknown properties are kept out: raw bytes hold them. */
export const Descriptor = z.object({
  mediaType: z.string().regex(mediaTypeGrammar),
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
 * Takes bytes as they came and makes a manifest of them. `expected` is checked against the bytes.
 * `declaredMediaType` is what the store or descriptor said; content that contradicts it, or that
 * could be read as an image and as an index, is refused.
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
  return { bytes, digest, mediaType: manifestTypeOf(parseJson(bytes), declaredMediaType) };
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
    throw invalidManifest(`manifest ${manifest.digest} is malformed at /${issue?.path.join('/') ?? ''}: ${issue?.message ?? 'unreadable'}`);
  }
  return index
    ? { kind: 'index', ...(parsed.data as z.infer<typeof ImageIndex>) }
    : { kind: 'image', ...(parsed.data as z.infer<typeof ImageManifest>) };
}

/** @throws ContentError `manifest-invalid` */
export function childrenOf(manifest: Manifest): ManifestChildren {
  const view = viewManifest(manifest);
  if (view.kind === 'index') {
    if (view.manifests.some((child) => isSchema1MediaType(child.mediaType))) throw schema1Refused();
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

/** @throws ContentError `manifest-invalid` */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new ContentError('manifest is not JSON', { code: 'manifest-invalid', operation: 'read manifest', cause });
  }
}

/** @throws ContentError `manifest-invalid` when one digest stands there with two sizes: at most one can be true */
function unique(descriptors: readonly Descriptor[]): Descriptor[] {
  const found = new Map<Digest, Descriptor>();
  for (const descriptor of descriptors) {
    const known = found.get(descriptor.digest) ?? descriptor;
    if (known.size !== descriptor.size) {
      throw invalidManifest(`manifest names ${descriptor.digest} with ${known.size} and with ${descriptor.size} bytes`);
    }
    found.set(descriptor.digest, known);
  }
  return [...found.values()];
}
