import { describe, expect, it } from '@jest/globals';
import { parseBasicSecret } from './basic-secret.js';
import { ConfigError } from './config-error.js';

describe('parseBasicSecret', () => {
  it.each([
    ['ci:pw', 'ci', 'pw'],
    ['ci:p:w:', 'ci', 'p:w:'],
    ['AWS:eyJw==', 'AWS', 'eyJw=='],
    ['ci: spaced ', 'ci', ' spaced '],
  ])('divides %j at the first colon', (value, username, password) => {
    expect(parseBasicSecret('one', value)).toEqual({ username, password });
  });

  it.each(['hunter2', ':hunter2', 'hunter2:', '', 'ci:hunter2\n', 'hunter2\r\nx:y', 'ci:\u0000hunter2'])(
    'refuses %j without quoting it',
    (value) => {
      expect(() => parseBasicSecret('prod-write', value)).toThrow(ConfigError);
      expect(() => parseBasicSecret('prod-write', value)).toThrow(/^the secret prod-write (?!.*hunter2)/);
    },
  );
});
