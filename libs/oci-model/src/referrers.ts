import { z } from 'zod';
import { algorithmOf, type Digest, hexOf, isDigest } from './digest.js';
import { Descriptor, descriptorOf, type Manifest, manifestFromBytes, parseJson } from './manifest.js';
import { isIndexMediaType, mediaType } from './media-types.js';
import { invalidManifest } from './refused-manifest.js';
import type { Tag } from './reference.js';

/** The part of a manifest that makes it a referrer and that lists of referrers repeat. Go programs write null for absent. */
const Referring = z.object({
  subject: z.object({ digest: z.string().refine(isDigest, 'not a digest') }).nullish(),
  artifactType: z.string().nullish(),
  config: z.object({ mediaType: z.string() }).nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
});

/** What is written again when a list changes: everything that stood there before, known or not. */
const ReferrersIndex = z.looseObject({ schemaVersion: z.literal(2), manifests: z.array(z.looseObject(Descriptor.shape)) });

const longestReference = 64;

/**
 * The tag under which clients list a manifest's referrers where the registry does not
 * (distribution-spec v1.1.1, "Referrers Tag Schema"): the digest's hex part is cut to 64 characters.
 */
export function referrersTagOf(subject: Digest): Tag {
  return `${algorithmOf(subject)}-${hexOf(subject).slice(0, longestReference)}` as Tag;
}

/**
 * What a manifest refers to; undefined when it refers to nothing.
 * @throws ContentError `manifest-invalid`
 */
export function subjectOf(manifest: Manifest): Digest | undefined {
  return partsOf(manifest).subject?.digest;
}

/**
 * A manifest as lists of referrers name it, with its annotations and the type of artifact that it is: a manifest
 * that names none goes by its config's type (distribution-spec v1.1.1, "Listing Referrers").
 * @throws ContentError `manifest-invalid`
 */
export function referrerDescriptorOf(manifest: Manifest): Descriptor {
  const { artifactType, config, annotations } = partsOf(manifest);
  const type = nonEmpty(artifactType) ?? (isIndexMediaType(manifest.mediaType) ? undefined : config?.mediaType);
  return {
    ...descriptorOf(manifest),
    ...(type === undefined ? {} : { artifactType: type }),
    ...(annotations === undefined || annotations === null ? {} : { annotations }),
  };
}

/**
 * What an index lists that stands under a referrers tag.
 * @throws ContentError `manifest-invalid` when it is no image index
 */
export function referrersIn(index: Manifest): readonly Descriptor[] {
  return readIndex(index).manifests.map((entry) => Descriptor.parse(entry));
}

/**
 * The index that lists `referrer` beside everything that `index` lists, whose entries are kept as they are.
 * Undefined when it is listed already. Without an index there is a first one.
 * @throws ContentError `manifest-invalid` when `index` is none, `manifest-too-large`
 */
export function withReferrer(index: Manifest | undefined, referrer: Descriptor): Manifest | undefined {
  const before = index === undefined ? emptyIndex : readIndex(index);
  if (before.manifests.some((entry) => entry.digest === referrer.digest)) return undefined;
  return toIndex({ ...before, manifests: [...before.manifests, referrer] });
}

/**
 * The index without the entries of those digests. Undefined when it lists none of them.
 * @throws ContentError `manifest-invalid` when `index` is none
 */
export function withoutReferrers(index: Manifest, gone: ReadonlySet<Digest>): Manifest | undefined {
  const before = readIndex(index);
  const manifests = before.manifests.filter((entry) => !gone.has(entry.digest));
  return manifests.length === before.manifests.length ? undefined : toIndex({ ...before, manifests });
}

const emptyIndex = { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: [] } as const;

function partsOf(manifest: Manifest): z.infer<typeof Referring> {
  return parse(Referring, manifest, `manifest ${manifest.digest}`);
}

function readIndex(index: Manifest): z.infer<typeof ReferrersIndex> {
  if (index.mediaType !== mediaType.ociIndex) {
    throw invalidManifest(`${index.digest} is no index of referrers, but of type ${index.mediaType}`);
  }
  return parse(ReferrersIndex, index, `index of referrers ${index.digest}`);
}

function parse<Schema extends z.ZodType>(schema: Schema, manifest: Manifest, name: string): z.infer<Schema> {
  const parsed = schema.safeParse(parseJson(manifest.bytes));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalidManifest(`${name} is malformed at /${issue?.path.join('/') ?? ''}: ${issue?.message ?? 'unreadable'}`);
}

function toIndex(content: object): Manifest {
  return manifestFromBytes(Buffer.from(JSON.stringify(content)), mediaType.ociIndex);
}

function nonEmpty(text: string | null | undefined): string | undefined {
  return text === '' || text === null ? undefined : text;
}
