import { describe, expect, it } from '@jest/globals';
import { parseGrant, parseRefusal } from './token-grant.js';

const now = new Date('2026-01-01T12:00:00Z');
const date = 'Thu, 01 Jan 2026 11:00:00 GMT'; // the server's clock is an hour behind ours
const bytes = (body: unknown): Buffer => Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));

describe('a grant', () => {
  it.each<[string, unknown, object]>([
    ['by its first name', { token: 'abc' }, { value: 'abc', lifetimeMs: 60_000, ageMs: 0 }],
    ['by its OAuth name', { access_token: 'abc', expires_in: 300 }, { value: 'abc', lifetimeMs: 300_000 }],
    ['by both', { token: 'abc', access_token: 'def' }, { value: 'abc' }],
    ['by the one that is not empty', { token: '', access_token: 'def' }, { value: 'def' }],
    ['with a lifetime in words', { token: 'abc', expires_in: '120' }, { lifetimeMs: 120_000 }],
    ['with no lifetime that makes sense', { token: 'abc', expires_in: -5 }, { lifetimeMs: 60_000 }],
    ['with a lifetime of nothing', { token: 'abc', expires_in: 0 }, { lifetimeMs: 60_000 }],
    ['with a lifetime that is none', { token: 'abc', expires_in: {} }, { lifetimeMs: 60_000 }],
    ['with an endless lifetime', '{"token":"abc","expires_in":1e300}', { lifetimeMs: 86_400_000 }],
    ['that was issued before, by the clock of its server', { token: 'abc', issued_at: '2026-01-01T10:59:30Z' }, { ageMs: 30_000 }],
    ['that was issued in times to come', { token: 'abc', issued_at: '2027-01-01T00:00:00Z' }, { ageMs: 0 }],
    ['that was issued in the year 1', { token: 'abc', issued_at: '0001-01-01T00:00:00Z' }, { ageMs: 0 }],
    ['that was over when it was given', { token: 'abc', expires_in: 300, issued_at: '2026-01-01T10:55:00Z' }, { ageMs: 0 }],
    ['that was issued some day', { token: 'abc', issued_at: 'some day' }, { ageMs: 0 }],
  ])('is understood %s', (_how, body, grant) => {
    expect(parseGrant(bytes(body), { date }, now)).toMatchObject(grant);
  });

  it('is as old as our own clock says where the server shows none', () => {
    expect(parseGrant(bytes({ token: 'abc', expires_in: 300, issued_at: '2026-01-01T11:59:00Z' }), {}, now)?.ageMs).toBe(60_000);
  });

  it.each<[string, unknown]>([
    ['without a token', { expires_in: 300 }],
    ['whose token is no text', { token: 17 }],
    ['whose token would break a header', { token: 'abc\r\nX-Evil: 1' }],
    ['whose token has a blank', { token: 'abc def' }],
    ['that is no object', ['token']],
    ['that is null', null],
    ['that is no JSON', '<html>'],
    ['that stops', '{"token":"abc"'],
  ])('%s is none', (_what, body) => {
    expect(parseGrant(bytes(body), { date }, now)).toBeUndefined();
  });
});

describe('a refusal', () => {
  it.each<[string, unknown, object]>([
    ['Distribution', { errors: [{ code: 'DENIED', message: 'no' }, { code: 'OTHER' }] }, { codes: ['DENIED', 'OTHER'], reason: 'no' }],
    ['OAuth', { error: 'invalid_grant', error_description: 'old' }, { codes: ['invalid_grant'], reason: 'old' }],
    ['OAuth in short', { error: 'invalid_grant' }, { codes: ['invalid_grant'], reason: 'invalid_grant' }],
    ['Docker Hub', { details: 'incorrect username or password' }, { codes: [], reason: 'incorrect username or password' }],
    ['nobody', '<html>', { codes: [], reason: '' }],
    ['somebody else', { errors: 'many', error: 5 }, { codes: [], reason: '' }],
  ])('of %s is understood', (_who, body, refusal) => {
    expect(parseRefusal(bytes(body))).toEqual(refusal);
  });
});
