import { isReservedTag, isDigest, type Digest } from '@waybill/oci-model';

const named = /^sha(256-[0-9a-f]{64}|512-[0-9a-f]{128})(?![0-9a-f])/;

/**
 * The digest that a reserved tag stands for: of the referrers tag (distribution-spec v1.1.1, "Referrers Tag Schema") and
 * of cosign's `.sig`, `.att` and `.sbom`. Undefined for other tags, and for SHA-512 cut to 64 digits, which names none whole.
 */
export function reservedSubjectOf(tag: string): Digest | undefined {
  if (!isReservedTag(tag)) return undefined;
  const digest = named.exec(tag)?.[0].replace('-', ':');
  return digest !== undefined && isDigest(digest) ? digest : undefined;
}
