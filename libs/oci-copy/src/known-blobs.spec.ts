import { describe, expect, it } from '@jest/globals';
import { type Digest, digestOf } from '@waybill/oci-model';
import { KnownBlobs } from './known-blobs.js';

const [a, b, c] = ['a', 'b', 'c'].map((text) => digestOf(Buffer.from(text))) as [Digest, Digest, Digest];

describe('KnownBlobs', () => {
  it('gives a blob to the first who asks, and tells the others when it has ended', async () => {
    const known = new KnownBlobs();

    const [mine, other] = [known.claim(a), known.claim(a)];

    expect([mine.isMine, other.isMine, known.claim(b).isMine]).toEqual([true, false, true]);
    if (mine.isMine) mine.release();
    if (!other.isMine) await other.ended;
    expect(known.has(a)).toBe(false);
    expect(known.claim(a).isMine).toBe(true);
  });

  it('lets the others go on as soon as the blob is there', async () => {
    const known = new KnownBlobs();
    known.claim(a);
    const other = known.claim(a);

    known.arrived(a);

    if (!other.isMine) await other.ended;
    expect(known.has(a)).toBe(true);
  });

  it('does not take a later claim away when an earlier one is released late', () => {
    const known = new KnownBlobs();
    const first = known.claim(a);
    known.arrived(a);
    known.forget(a);
    known.claim(a);

    if (first.isMine) first.release();

    expect(known.claim(a).isMine).toBe(false);
  });

  it('forgets the oldest beyond its bound', () => {
    const known = new KnownBlobs(2);

    for (const digest of [a, b, c]) known.arrived(digest);

    expect([known.has(a), known.has(b), known.has(c)]).toEqual([false, true, true]);
  });
});
