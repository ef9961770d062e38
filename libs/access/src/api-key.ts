import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * `wb_<id without hyphens>_<secret>`: the id finds the row, the secret proves it.
 * The secret has 256 random bits, so one SHA-256 is as strong as any slow hash
 * would be: there is nothing to guess (docs/adr/0006).
 */
const keyPattern = /^wb_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$/;

export interface IssuedKey {
  readonly id: string;
  /** Shown once; never stored. */
  readonly text: string;
  /** What is stored: SHA-256 of the whole text, 32 bytes. */
  readonly hash: Uint8Array<ArrayBuffer>;
}

/** Makes a new key for the given id (a UUID). */
export function issueApiKey(id: string): IssuedKey {
  const text = `wb_${id.replaceAll('-', '')}_${randomBytes(32).toString('base64url')}`;
  return { id, text, hash: hashKey(text) };
}

/** The id and hash of a presented key; undefined when the text is no key. */
export function readApiKey(text: string): Omit<IssuedKey, 'text'> | undefined {
  const match = keyPattern.exec(text);
  if (match?.[1] === undefined) return undefined;
  const id = match[1].replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { id, hash: hashKey(text) };
}

/** Compares in constant time. */
export function sameKeyHash(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && timingSafeEqual(one, other);
}

function hashKey(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(text).digest());
}
