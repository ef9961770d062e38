import { describe, expect, it } from '@jest/globals';
import { ContentError, type ContentErrorCode, parseDigest } from '@waybill/oci-model';
import { abortedBy, CopyError, copyErrorFrom, stalled } from './copy-error.js';

const digest = parseDigest(`sha256:${'a'.repeat(64)}`);
const atTarget = { side: 'target', target: 'prod', operation: 'push blob', digest } as const;

describe('copyErrorFrom', () => {
  const rows: readonly [ContentErrorCode, string][] = [
    ['digest-invalid', 'invalid'],
    ['reference-invalid', 'invalid'],
    ['manifest-invalid', 'invalid'],
    ['manifest-too-large', 'invalid'],
    ['digest-mismatch', 'corrupt'],
    ['size-mismatch', 'corrupt'],
    ['not-found', 'missing'],
    ['blob-unknown', 'incomplete'],
    ['upload-invalid', 'failed'],
    ['unauthorized', 'denied'],
    ['denied', 'denied'],
    ['unsupported', 'unsupported'],
    ['rate-limited', 'rate-limited'],
    ['unavailable', 'unreachable'],
    ['unreachable', 'unreachable'],
    ['protocol', 'failed'],
    ['aborted', 'failed'],
  ];
  it.each(rows)('names the side at fault for %s', (code, fault) => {
    const cause = new ContentError('what the store said', { code, operation: 'x' });

    expect(copyErrorFrom(cause, { side: 'source', operation: 'read blob' }).code).toBe(`source-${fault}`);
    expect(copyErrorFrom(cause, atTarget).code).toBe(`target-${fault}`);
  });

  it.each(['source', 'target'] as const)('calls a %s stalled that let the time run out', (side) => {
    const cause = new ContentError('no answer', { code: 'timeout', operation: 'x', retryable: true });

    expect(copyErrorFrom(cause, { side, operation: 'read blob' })).toMatchObject({ code: 'stalled', side, retryable: true });
  });

  it('keeps what the store said about trying again, and says where it happened', () => {
    const cause = new ContentError('too many requests', {
      code: 'rate-limited',
      operation: 'send',
      retryable: true,
      retryAfterMs: 1500,
      details: { status: 429 },
    });

    const error = copyErrorFrom(cause, atTarget);

    expect(error).toMatchObject({ retryable: true, retryAfterMs: 1500, details: { status: 429 }, cause });
    expect(error).toMatchObject({ side: 'target', target: 'prod', digest, operation: 'push blob' });
    expect(error.message).toBe(`target "prod": push blob ${digest}: too many requests`);
  });

  it('does not repeat the words of an error that it does not know', () => {
    const error = copyErrorFrom(new Error('https://user:secret@host'), { side: 'source', operation: 'read blob' });

    expect(error).toMatchObject({ code: 'source-failed', retryable: false });
    expect(error.message).toBe('source: read blob: the store failed without saying how');
  });

  it('takes a stream that broke off without a word for a lost connection', () => {
    const cause = Object.assign(new Error('Premature close'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });

    expect(copyErrorFrom(cause, { side: 'source', operation: 'read blob' })).toMatchObject({ code: 'source-unreachable', retryable: true });
  });

  it('leaves a CopyError as it is', () => {
    const error = stalled(atTarget, 10);

    expect(copyErrorFrom(error, { side: 'source', operation: 'other' })).toBe(error);
  });
});

describe('abortedBy', () => {
  it('keeps the reason of the signal and blames neither end', () => {
    const error = abortedBy(AbortSignal.abort('enough'), 'copy graph');

    expect(error).toBeInstanceOf(CopyError);
    expect(error).toMatchObject({ code: 'aborted', side: 'engine', retryable: false, cause: 'enough' });
  });
});
