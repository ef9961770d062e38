import type { Digest } from '@waybill/oci-model';

/** What a target tag is expected to hold: three-valued, and unknown is not absent (DESIGN "tag"). */
export type ExpectedDigest =
  { readonly kind: 'digest'; readonly digest: Digest } | { readonly kind: 'absent' } | { readonly kind: 'unknown' };

/** From what a tag was seen to hold. */
export function expectedFrom(seen: Digest | undefined): ExpectedDigest {
  return seen === undefined ? { kind: 'absent' } : { kind: 'digest', digest: seen };
}
