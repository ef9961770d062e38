import { describe, expect, it } from '@jest/globals';
import { type RefusedAnswer, errorOfAnswer } from './answer-errors.js';
import { Redactor } from './redact.js';

const context = { host: 'registry.example.com', operation: 'read manifest', redactor: new Redactor(['open sesame']) };

function answer(status: number, codes: readonly string[] = [], headers: RefusedAnswer['headers'] = {}): RefusedAnswer {
  const errors = codes.map((code) => ({ code, message: code.toLowerCase() }));
  return { status, headers, body: Buffer.from(codes.length === 0 ? '' : JSON.stringify({ errors })) };
}

describe('the error that an answer means', () => {
  const table: readonly (readonly [number, readonly string[], string, boolean])[] = [
    [400, [], 'protocol', false],
    [400, ['BLOB_UPLOAD_INVALID'], 'upload-invalid', true],
    [400, ['DIGEST_INVALID'], 'digest-mismatch', false],
    [400, ['MANIFEST_BLOB_UNKNOWN'], 'blob-unknown', false],
    [400, ['MANIFEST_INVALID', 'MANIFEST_BLOB_UNKNOWN'], 'blob-unknown', false],
    [400, ['MANIFEST_INVALID'], 'manifest-invalid', false],
    [400, ['NAME_INVALID'], 'reference-invalid', false],
    [400, ['SIZE_INVALID'], 'size-mismatch', false],
    [400, ['TAG_INVALID'], 'reference-invalid', false],
    [400, ['SOMETHING_NEW'], 'protocol', false],
    [302, [], 'protocol', false],
    [401, [], 'unauthorized', false],
    [401, ['UNAUTHORIZED'], 'unauthorized', false],
    [401, ['DENIED'], 'denied', false],
    [403, [], 'denied', false],
    [403, ['DENIED'], 'denied', false],
    [404, [], 'not-found', false],
    [404, ['BLOB_UNKNOWN'], 'not-found', false],
    [404, ['BLOB_UPLOAD_UNKNOWN'], 'upload-invalid', true],
    [404, ['MANIFEST_UNKNOWN'], 'not-found', false],
    [404, ['NAME_UNKNOWN'], 'not-found', false],
    [405, [], 'unsupported', false],
    [405, ['UNSUPPORTED'], 'unsupported', false],
    [408, [], 'timeout', true],
    [410, [], 'not-found', false],
    [413, [], 'manifest-too-large', false],
    [418, [], 'protocol', false],
    [429, [], 'rate-limited', true],
    [429, ['DENIED'], 'rate-limited', true],
    [500, [], 'unavailable', true],
    [500, ['UNKNOWN'], 'unavailable', true],
    [501, [], 'unsupported', false],
    [502, ['MANIFEST_UNKNOWN'], 'unavailable', true],
    [503, ['UNAVAILABLE'], 'unavailable', true],
    [507, [], 'unavailable', true],
  ];

  it.each(table)('%d with %j is %s, retryable: %s', (status, codes, code, retryable) => {
    const error = errorOfAnswer(answer(status, codes), context);

    expect(error).toMatchObject({ code, retryable, status, host: context.host, operation: context.operation });
    expect(error.message).toContain(`registry.example.com answered ${status} to read manifest`);
    expect(error.registryErrors.map((each) => each.code)).toEqual(codes);
  });

  it.each(['pull,push', 'push,pull'])('says what a token server would have to grant, however %s is ordered', (actions) => {
    const challenge = `Bearer realm="https://tokens.example",scope="repository:team/app:${actions}",error="insufficient_scope"`;
    const error = errorOfAnswer(answer(403, ['DENIED'], { 'www-authenticate': challenge }), context);

    expect(error.message).toContain('would have to grant repository:team/app:pull,push');
  });

  it('takes an unknown manifest in answer to an index for a missing child, as GitHub says it', () => {
    expect(errorOfAnswer(answer(404, ['MANIFEST_UNKNOWN']), { ...context, operation: 'push manifest' }).code).toBe('blob-unknown');
    expect(errorOfAnswer(answer(404, ['NAME_UNKNOWN']), { ...context, operation: 'push manifest' }).code).toBe('not-found');
    expect(errorOfAnswer(answer(404), { ...context, operation: 'push manifest' }).code).toBe('not-found');
  });

  it.each([
    ['2', 2000],
    ['0', 0],
    ['999999', 3_600_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ])('hands Retry-After: %s on as %d ms', (header, ms) => {
    expect(errorOfAnswer(answer(429, [], { 'retry-after': header }), context).retryAfterMs).toBe(ms);
  });

  it.each([
    [404, 'upload-invalid', true],
    [413, 'unsupported', false],
  ])('takes a bare %d of an upload for %s', (status, code, retryable) => {
    expect(errorOfAnswer(answer(status), { ...context, operation: 'push blob' })).toMatchObject({ code, retryable });
    expect(errorOfAnswer(answer(status, ['NAME_UNKNOWN']), { ...context, operation: 'push blob' }).code).toBe('not-found');
  });

  it('says what to check when nobody is let in', () => {
    expect(errorOfAnswer(answer(401), context).message).toContain("check the registry's credentials");
  });

  it.each([
    ['no JSON', '<html>502 Bad Gateway</html>'],
    ['another JSON', '{"message":"no"}'],
    ['JSON cut off', '{"errors":[{"code":"DENIED"'],
    ['nothing', ''],
  ])('goes by the status when the body is %s', (_title, body) => {
    const error = errorOfAnswer({ status: 403, headers: {}, body: Buffer.from(body) }, context);

    expect(error).toMatchObject({ code: 'denied', registryErrors: [] });
  });

  it('keeps little of what a registry says, on one line and without secrets', () => {
    const message = `bad \u001b[31m password\r\nopen sesame ${'x'.repeat(5000)}`;
    const errors = Array.from({ length: 100 }, () => ({ code: 'DENIED', message }));

    const error = errorOfAnswer({ status: 403, headers: {}, body: Buffer.from(JSON.stringify({ errors })) }, context);

    expect(error.registryErrors).toHaveLength(10);
    expect(error.registryErrors[0]?.message).toMatch(/^bad {2}\[31m password \*\*\* x+…$/);
    expect(error.message.length).toBeLessThan(500);
    expect(JSON.stringify(error)).not.toContain('sesame');
  });
});
