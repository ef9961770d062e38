import { createHash, type Hash } from 'node:crypto';
import type { Brand } from '@waybill/kernel';
import { ContentError } from './content-error.js';

/** `algorithm:hex` (image-spec v1.1.1, descriptor.md "Digests"); the registered algorithms only. */
export type Digest = Brand<string, 'Digest'>;

const hexLength = { sha256: 64, sha512: 128 } as const;
type Algorithm = keyof typeof hexLength;

const digestPattern = /^(sha256|sha512):([0-9a-f]+)$/;

export function isDigest(text: string): text is Digest {
  const match = digestPattern.exec(text);
  return match !== null && match[2]?.length === hexLength[match[1] as Algorithm];
}

/** @throws ContentError `digest-invalid` */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new ContentError(`"${text.slice(0, 150)}" is not a digest: expected sha256: and 64 lower-case hex digits`, {
    code: 'digest-invalid',
    operation: 'parse digest',
  });
}

/** The SHA-256 digest of `bytes`. */
export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

export function algorithmOf(digest: Digest): Algorithm {
  return digest.slice(0, digest.indexOf(':')) as Algorithm;
}

/** The hexadecimal part. */
export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** A hash of the digest's own algorithm, to be fed with the content. */
export function hasherFor(digest: Digest): Hash {
  return createHash(algorithmOf(digest));
}

/** Does `bytes` hash to `digest`, under the digest's own algorithm? */
export function hashesTo(bytes: Uint8Array, digest: Digest): boolean {
  return hasherFor(digest).update(bytes).digest('hex') === hexOf(digest);
}

/** The raw hash, 32 bytes for SHA-256 and 64 for SHA-512, as databases keep it. */
export function digestToBytes(digest: Digest): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(hexOf(digest), 'hex'));
}

/** @throws ContentError `digest-invalid` when the length fits no algorithm */
export function digestFromBytes(bytes: Uint8Array): Digest {
  const hex = Buffer.from(bytes).toString('hex');
  const algorithm = hex.length === hexLength.sha256 ? 'sha256' : 'sha512';
  return parseDigest(`${algorithm}:${hex}`);
}
