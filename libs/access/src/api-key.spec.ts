import { describe, expect, it } from '@jest/globals';
import { issueApiKey, readApiKey, sameKeyHash } from './api-key.js';

const id = '01890a5d-ac96-774b-bcce-b302099a8057';

describe('issueApiKey', () => {
  it('gives a text from which id and hash can be read again', () => {
    const key = issueApiKey(id);

    expect(readApiKey(key.text)).toEqual({ id, hash: key.hash });
  });

  it('never gives the same secret twice', () => {
    expect(issueApiKey(id).text).not.toBe(issueApiKey(id).text);
  });
});

describe('readApiKey', () => {
  it.each(['', 'wb_', `wb_${'0'.repeat(32)}_short`, `xx_${'0'.repeat(32)}_${'a'.repeat(43)}`, `wb_${'g'.repeat(32)}_${'a'.repeat(43)}`])(
    'takes %j for no key',
    (text) => {
      expect(readApiKey(text)).toBeUndefined();
    },
  );
});

describe('sameKeyHash', () => {
  it('tells equal from different, and bears different lengths', () => {
    const one = issueApiKey(id);
    const other = issueApiKey(id);

    expect(sameKeyHash(one.hash, one.hash)).toBe(true);
    expect(sameKeyHash(one.hash, other.hash)).toBe(false);
    expect(sameKeyHash(one.hash, one.hash.subarray(1))).toBe(false);
  });
});
