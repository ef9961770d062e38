import { describe, expect, it } from '@jest/globals';
import { errorOfNetwork } from './network-errors.js';
import { Redactor } from './redact.js';

const context = { host: 'registry.example.com', operation: 'ping', redactor: new Redactor(['open sesame']) };

describe('the error that a broken exchange means', () => {
  it.each([
    ['ECONNREFUSED', 'unreachable', true, 'refuses connections'],
    ['ECONNRESET', 'unreachable', true, 'broke the connection'],
    ['EPIPE', 'unreachable', true, 'broke the connection'],
    ['ENOTFOUND', 'unreachable', true, 'does not resolve'],
    ['EAI_AGAIN', 'unreachable', true, 'does not resolve'],
    ['EHOSTUNREACH', 'unreachable', true, 'cannot be reached'],
    ['ETIMEDOUT', 'unreachable', true, 'does not answer to connections'],
    ['CERT_HAS_EXPIRED', 'unreachable', false, 'certificate that is not trusted'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'unreachable', false, 'certificate that is not trusted'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'unreachable', false, 'certificate that is not trusted'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unreachable', false, 'certificate that is not trusted'],
    ['EPROTO', 'unreachable', false, 'does not speak TLS'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'unreachable', false, 'does not speak TLS'],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'unreachable', false, 'does not speak TLS'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'unauthorized', false, 'asks for a client certificate'],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'unauthorized', false, 'asks for a client certificate'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'unauthorized', false, 'does not trust the one it was shown'],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'unauthorized', false, 'does not trust the one it was shown'],
    ['ERR_PROXY_UNREACHABLE', 'unreachable', true, 'proxy that cannot be reached'],
    ['ERR_PROXY_FAILED', 'unreachable', true, 'cannot be reached by its proxy'],
    ['ERR_PROXY_REFUSED', 'unreachable', false, 'proxy that refuses'],
    ['ERR_PROXY_CREDENTIALS', 'unauthorized', false, 'proxy that asks for other credentials'],
    ['HPE_HEADER_OVERFLOW', 'protocol', false, 'no HTTP'],
    ['HPE_INVALID_CONSTANT', 'protocol', false, 'no HTTP'],
    ['ERR_FORBIDDEN_ADDRESS', 'protocol', false, 'must not be followed'],
    ['ESOMETHING', 'unreachable', true, 'broke the connection'],
  ])('%s is %s, retryable: %s', (errno, code, retryable, says) => {
    const error = errorOfNetwork(Object.assign(new Error('words of Node'), { code: errno }), context);

    expect(error).toMatchObject({ code, retryable, operation: 'ping', details: { errno } });
    expect(error.message).toMatch(/^registry\.example\.com /);
    expect(error.message).toContain(says);
  });

  it('keeps of the cause its code and its redacted words, and nothing else', () => {
    const cause = Object.assign(new Error('failed at https://anna:open sesame@registry.example.com/'), {
      code: 'ECONNRESET',
      config: { headers: { authorization: 'Basic c2VjcmV0' } },
    });

    const error = errorOfNetwork(cause, context);

    expect(error.cause).not.toBe(cause);
    expect(Object.keys(error.cause as object)).toEqual(['code']);
    expect((error.cause as Error).message).not.toContain('sesame');
  });

  it('hands errors of ours on as they are', () => {
    const ours = errorOfNetwork({ code: 'ECONNREFUSED' }, context);

    expect(errorOfNetwork(ours, context)).toBe(ours);
  });

  it('collects the words when several addresses were tried', () => {
    const tried = new AggregateError([new Error('connect ECONNREFUSED ::1:5000'), new Error('connect ECONNREFUSED 127.0.0.1:5000')]);

    const error = errorOfNetwork(Object.assign(tried, { code: 'ECONNREFUSED' }), context);

    expect((error.cause as Error).message).toBe('connect ECONNREFUSED ::1:5000; connect ECONNREFUSED 127.0.0.1:5000');
  });
});
