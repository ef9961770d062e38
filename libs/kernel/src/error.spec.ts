import { describe, expect, it } from '@jest/globals';
import { WaybillError } from './error.js';

class ShelfError extends WaybillError<'shelf-full'> {}

const facts = { code: 'shelf-full', operation: 'put book' } as const;

describe('WaybillError', () => {
  it('carries every fact it was given', () => {
    const cause = new Error('the board broke');
    const error = new ShelfError('no book fits: take one out', {
      ...facts,
      retryable: true,
      retryAfterMs: 250,
      details: { shelf: 3 },
      cause,
    });

    expect(error).toMatchObject({
      message: 'no book fits: take one out',
      code: 'shelf-full',
      operation: 'put book',
      retryable: true,
      retryAfterMs: 250,
      details: { shelf: 3 },
      cause,
    });
  });

  it('is not retryable, has no details and no cause unless told', () => {
    const error = new ShelfError('no book fits', facts);

    expect(error).toMatchObject({ retryable: false, details: {} });
    expect(error.retryAfterMs).toBeUndefined();
    expect('cause' in error).toBe(false);
  });

  it('is an Error under the name of its class, with the place that raised it', () => {
    const error = new ShelfError('no book fits', facts);

    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(WaybillError);
    expect(String(error)).toBe('ShelfError: no book fits');
    expect(error.stack).toContain('error.spec');
  });
});
