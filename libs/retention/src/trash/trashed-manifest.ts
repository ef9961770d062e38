import {
  algorithmOf,
  type Digest,
  hexOf,
  isDigest,
  isIndexMediaType,
  type Manifest,
  parseTag,
  subjectOf,
  type Tag,
} from '@waybill/oci-model';

/** `sha256-<hex>` with or without suffix. A longer digest is cut in a tag, which then does not tell it. */
const taggedSubject = /^sha256-([0-9a-f]{64})(?:[.-].*)?$/;

/** A digest's hex part is cut to 64 characters there, and cosign's tags have a suffix. */
const listTag = /^sha(?:256|512)-[0-9a-f]{64}$/;

/**
 * What a manifest says something about: its subject, and what its reserved tags name.
 * @throws ContentError `manifest-invalid`
 */
export function subjectsOf(manifest: Manifest, tags: readonly Tag[]): readonly Digest[] {
  const subject = subjectOf(manifest);
  const tagged = tags.map(taggedSubjectOf).filter((digest) => digest !== undefined);
  return [...new Set([...(subject === undefined ? [] : [subject]), ...tagged])];
}

/**
 * Is it the list that clients keep of a manifest's referrers (distribution-spec v1.1.1, "Referrers Tag Schema")?
 * What it lists is in the trash by itself, so only its bytes are kept.
 */
export function isListOfReferrers({ mediaType }: Pick<Manifest, 'mediaType'>, tags: readonly Tag[]): boolean {
  return isIndexMediaType(mediaType) && tags.some((tag) => listTag.test(tag));
}

function taggedSubjectOf(tag: Tag): Digest | undefined {
  const digest = `sha256:${taggedSubject.exec(tag)?.[1] ?? ''}`;
  return isDigest(digest) ? digest : undefined;
}

/** Much of a digest tells it from all others, and a longer one leaves no room in a tag. */
const tagHexLength = 100;

/** The tag that holds a manifest in the trash where registries collect what no tag names. */
export function trashTagOf(digest: Digest): Tag {
  return parseTag(`waybill-${algorithmOf(digest)}-${hexOf(digest).slice(0, tagHexLength)}`);
}
