import { describe, expect, it } from '@jest/globals';
import type { ContentErrorCode } from '@waybill/oci-model';
import { blindnessOf } from './blindness.js';
import { contentError } from './plan-fixtures.spec-helper.js';

describe('blindnessOf', () => {
  it.each<[ContentErrorCode, string]>([
    ['unauthorized', 'unauthorized'],
    ['denied', 'unauthorized'],
    ['unreachable', 'unreachable'],
    ['unavailable', 'unavailable'],
    ['rate-limited', 'rate-limited'],
    ['timeout', 'deadline'],
    ['aborted', 'deadline'],
    ['digest-mismatch', 'broken-answer'],
    ['protocol', 'broken-answer'],
  ])('takes %s for %s', (code, reason) => {
    expect(blindnessOf(contentError(code), new AbortController().signal)).toBe(reason);
  });

  it('blames the deadline for whatever comes after it', () => {
    expect(blindnessOf(contentError('unreachable'), AbortSignal.abort())).toBe('deadline');
  });
});
