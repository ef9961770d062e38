import { describe, expect, it } from '@jest/globals';
import { PromotionError } from '@waybill/promotion';
import { storedError } from './stored-error.js';

describe('storedError', () => {
  it.each([
    ['a NUL', 'the registry said \u0000no', 'the registry said no'],
    ['half of a pair', 'the registry said \ud83d', 'the registry said \ufffd'],
    ['a pair that is cut in two at the end', `${'a'.repeat(1_999)}😀`, `${'a'.repeat(1_999)}\ufffd`],
    ['too much', 'a'.repeat(5_000), 'a'.repeat(2_000)],
  ])('keeps of a message with %s what a row can hold', (_name, message, kept) => {
    const error = new PromotionError(message, { code: 'tag-unconfirmed', operation: 'write tag', retryable: true });

    expect(storedError(error)).toEqual({ code: 'tag-unconfirmed', message: kept, operation: 'write tag', retryable: true });
  });
});
