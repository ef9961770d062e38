import { describe, expect, it } from '@jest/globals';
import { digestOf, type Tag } from '@waybill/oci-model';
import { confirmAfterMs, judgeListing, type KnownTag, type ListingSeen } from './judge-listing.js';

const askedAt = new Date('2026-05-01T12:00:00Z');
const ago = (ms: number) => new Date(askedAt.getTime() - ms);
const digest = digestOf(Buffer.from('an image'));

/** Tags `0`, `1` and so on. */
function tags(count: number, missing: { readonly from?: number; readonly since?: Date } = {}): KnownTag[] {
  return Array.from({ length: count }, (_, number) => ({
    name: String(number) as Tag,
    digest,
    missingSince: missing.from !== undefined && number >= missing.from ? missing.since : undefined,
  }));
}

const namesFrom = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => String(from + index));
const listedUpTo = (count: number) => new Set(namesFrom(0, count));

function judged(seen: Partial<ListingSeen>) {
  return judgeListing({ kind: 'full', known: [], listed: new Set(), askedAt, ...seen });
}

describe('judgeListing', () => {
  it('adds what is new', () => {
    expect(judged({ known: tags(1), listed: new Set(['0', 'new']) })).toEqual({
      verdict: 'believed',
      added: ['new'],
      gone: [],
      missing: [],
      back: [],
    });
  });

  it.each([
    ['one of one', 1, 0],
    ['ten of ten', 10, 0],
    ['ten of eleven', 11, 1],
    ['half of many', 40, 20],
    ['eleven of twenty-two', 22, 11],
  ])('believes the loss of %s', (_what, known, left) => {
    for (const kind of ['quick', 'full'] as const) {
      expect(judged({ kind, known: tags(known), listed: listedUpTo(left) })).toMatchObject({
        verdict: 'believed',
        gone: namesFrom(left, known),
        missing: [],
      });
    }
  });

  it.each([
    ['all of eleven', 11, 0],
    ['more than half', 22, 10],
    ['everything', 5_000, 0],
  ])('suspects the loss of %s', (_what, known, left) => {
    for (const kind of ['quick', 'full'] as const) {
      expect(judged({ kind, known: tags(known), listed: listedUpTo(left) })).toMatchObject({
        verdict: 'suspect',
        gone: [],
        missing: namesFrom(left, known),
      });
    }
  });

  it('believes it when a full crawl says the same an hour later', () => {
    const known = tags(100, { from: 10, since: ago(confirmAfterMs) });

    expect(judged({ known, listed: listedUpTo(10) })).toMatchObject({ verdict: 'believed', gone: namesFrom(10, 100), missing: [] });
  });

  it.each<[string, Partial<ListingSeen>]>([
    ['by a quick crawl', { kind: 'quick', known: tags(100, { from: 10, since: ago(confirmAfterMs) }) }],
    ['too soon', { known: tags(100, { from: 10, since: ago(confirmAfterMs - 1) }) }],
  ])('is not convinced %s', (_when, seen) => {
    expect(judged({ ...seen, listed: listedUpTo(10) })).toMatchObject({ verdict: 'suspect', gone: [] });
  });

  it('tells what is confirmed from what is newly missing', () => {
    const known = tags(100, { from: 80, since: ago(confirmAfterMs) });

    expect(judged({ known, listed: listedUpTo(10) })).toMatchObject({
      verdict: 'suspect',
      gone: namesFrom(80, 100),
      missing: namesFrom(10, 80),
    });
  });

  it('takes back what is listed again', () => {
    const known = tags(20, { from: 18, since: ago(1) });

    expect(judged({ known, listed: listedUpTo(20) })).toMatchObject({ verdict: 'believed', back: ['18', '19'], gone: [] });
  });
});
