import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  algorithmOf,
  type Digest,
  digestFromBytes,
  digestOf,
  digestToBytes,
  hasherFor,
  hashesTo,
  hexOf,
  isDigest,
  parseDigest,
} from './digest.js';

const empty256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const bytes = Buffer.from('content');
const of512 = `sha512:${createHash('sha512').update(bytes).digest('hex')}` as Digest;

const sha256 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const sha512 = fc.uint8Array({ minLength: 64, maxLength: 64 });

describe('parseDigest', () => {
  it.each([`sha256:${empty256}`, of512])('takes %s', (text) => {
    expect(parseDigest(text)).toBe(text);
  });

  it.each([
    ['nothing', ''],
    ['no algorithm', empty256],
    ['no digits', 'sha256:'],
    ['a digit too few', `sha256:${empty256.slice(1)}`],
    ['a digit too many', `sha256:${empty256}0`],
    ['the length of the other algorithm', `sha512:${empty256}`],
    ['upper-case digits', `sha256:${empty256.toUpperCase()}`],
    ['an upper-case algorithm', `SHA256:${empty256}`],
    ['an algorithm that is not registered', `md5:${'0'.repeat(32)}`],
    ['digits that are none', `sha256:${'g'.repeat(64)}`],
    ['digits of another script', `sha256:${'٠'.repeat(64)}`],
    ['a space before', ` sha256:${empty256}`],
    ['a line break behind', `sha256:${empty256}\n`],
    ['a second line', `sha256:${empty256}\nsha256:${empty256}`],
    ['a NUL', `sha256:${empty256}\0`],
    ['a path', `sha256:../../${empty256.slice(6)}`],
    ['two colons', `sha256::${empty256}`],
  ])('refuses %s', (_what, text) => {
    expect(isDigest(text)).toBe(false);
    expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code: 'digest-invalid', retryable: false }));
  });

  it('quotes no more of a hostile text than a line', () => {
    const refusal = (() => {
      try {
        return parseDigest('x'.repeat(1_000_000));
      } catch (error) {
        return (error as Error).message;
      }
    })();

    expect(refusal.length).toBeLessThan(300);
  });
});

describe('digestOf', () => {
  it('is the SHA-256 of the bytes', () => {
    expect(digestOf(Buffer.alloc(0))).toBe(`sha256:${empty256}`);
  });
});

describe('hashesTo and hasherFor', () => {
  it.each([
    ['sha256', digestOf(bytes)],
    ['sha512', of512],
  ])('use the algorithm of a %s digest', (algorithm, digest) => {
    expect(algorithmOf(digest)).toBe(algorithm);
    expect(hashesTo(bytes, digest)).toBe(true);
    expect(hasherFor(digest).update(bytes).digest('hex')).toBe(hexOf(digest));
    expect(hashesTo(Buffer.from('other'), digest)).toBe(false);
  });
});

describe('digestToBytes', () => {
  it('gives the raw hash, and digestFromBytes the digest back', () => {
    fc.assert(
      fc.property(fc.oneof(sha256, sha512), (hash) => {
        const digest = digestFromBytes(hash);

        expect(isDigest(digest)).toBe(true);
        expect(digestToBytes(digest)).toEqual(hash);
      }),
    );
  });

  it.each([0, 20, 31, 33, 63, 65])('has no digest of %d bytes', (length) => {
    expect(() => digestFromBytes(new Uint8Array(length))).toThrow(expect.objectContaining({ code: 'digest-invalid' }));
  });
});
