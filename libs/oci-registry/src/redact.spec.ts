import { describe, expect, it } from '@jest/globals';
import { secretsOf } from './auth/credentials.js';
import { Redactor } from './redact.js';

describe('redaction', () => {
  const redactor = new Redactor(secretsOf({ kind: 'basic', username: 'anna', password: 'p@ss word' }));

  it.each([
    ['the password', 'wrong: p@ss word', 'wrong: ***'],
    ['the password as in a URL', 'wrong: p%40ss%20word', 'wrong: ***'],
    ['the header that carries it', `got ${Buffer.from('anna:p@ss word').toString('base64')}!`, 'got ***!'],
    ['any Basic header', 'authorization: Basic dXNlcjpwYXNz', 'authorization: Basic ***'],
    ['any Bearer token', 'bearer abc.def-ghi', 'bearer ***'],
    ['a bare JSON web token', 'token eyJhbGciOi.eyJzdWIi.c2ln is old', 'token *** is old'],
    ['credentials in an address', 'at https://bob:hunter2@host/v2/', 'at https://***@host/v2/'],
    ['a signed query', 'GET https://s3.example.com/blob?X-Amz-Signature=abc&x=1 failed', 'GET https://s3.example.com/blob?*** failed'],
    ['an upload session', 'PUT /v2/a/blobs/uploads/0e1f?_state=abc failed', 'PUT /v2/a/blobs/uploads/*** failed'],
    ['nothing in plain words', 'manifest unknown: is it pushed?', 'manifest unknown: is it pushed?'],
  ])('hides %s', (_title, text, shown) => {
    expect(redactor.redact(text)).toBe(shown);
  });

  it('leaves secrets alone that are too short to be any', () => {
    expect(new Redactor(['a']).redact('an apple')).toBe('an apple');
  });

  it('knows the secrets in use, and a bounded number of them', () => {
    const busy = new Redactor();
    busy.learn(['the password']);
    for (let made = 0; made < 2_000; made += 1) busy.learn([`token-${made}`, 'the password']);

    expect(busy.redact('the password, token-1999, token-0')).toBe('***, ***, token-0');
  });

  it('hides a secret that the excerpt would cut through', () => {
    const secret = 'abcdefgh'.repeat(600);

    expect(new Redactor([secret]).excerpt(`it was ${secret}`, 300)).toBe('it was ***');
  });

  it('excerpts on one line', () => {
    expect(redactor.excerpt(' a\r\n\u0000b\u2028c\u202e ', 100)).toBe('a b c');
    expect(redactor.excerpt('x'.repeat(20), 10)).toBe(`${'x'.repeat(10)}…`);
  });

  it('shows no secret itself', () => {
    expect(JSON.stringify(redactor)).toBe('{}');
  });
});
