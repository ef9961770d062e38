import { describe, expect, it } from '@jest/globals';
import { type Challenge, challengeOf, parseChallenges } from './challenge.js';

function plain(challenges: readonly Challenge[]): unknown {
  return challenges.map(({ scheme, params }) => [scheme, Object.fromEntries(params)]);
}

describe('a WWW-Authenticate header', () => {
  it.each<[string, string | undefined, unknown]>([
    [
      'of Distribution',
      'Bearer realm="https://auth.example.com/token",service="r",scope="repository:a/b:pull,push repository:c:pull",error="invalid_token"',
      [
        [
          'bearer',
          {
            realm: 'https://auth.example.com/token',
            service: 'r',
            scope: 'repository:a/b:pull,push repository:c:pull',
            error: 'invalid_token',
          },
        ],
      ],
    ],
    [
      'with several challenges',
      'Basic realm="a, b", Bearer realm="https://x/",service="y"',
      [
        ['basic', { realm: 'a, b' }],
        ['bearer', { realm: 'https://x/', service: 'y' }],
      ],
    ],
    [
      'with a challenge that has no parameters',
      'Negotiate, Basic realm=x',
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    [
      'with a token after its scheme',
      'NTLM TlRMTVNTUAAC/+, Bearer realm="x"',
      [
        ['ntlm', {}],
        ['bearer', { realm: 'x' }],
      ],
    ],
    ['with escapes in quotes', String.raw`Bearer realm="a \"b\" \\c"`, [['bearer', { realm: String.raw`a "b" \c` }]]],
    ['with blanks where they may be', ' ,, BEARER  Realm = "x" ,\tservice= y ,', [['bearer', { realm: 'x', service: 'y' }]]],
    [
      'with an address that is not quoted',
      'Bearer realm=https://x/token?a=b,service=y',
      [['bearer', { realm: 'https://x/token?a=b', service: 'y' }]],
    ],
    ['with a name said twice', 'Bearer realm="first",realm="second"', [['bearer', { realm: 'first' }]]],
    ['that stops in a quote', 'Bearer service="y",realm="https://x', [['bearer', { service: 'y' }]]],
    ['that is no header', '"=,="', []],
    ['that is empty', '', []],
    ['that is absent', undefined, []],
  ])('%s is understood', (_what, header, challenges) => {
    expect(plain(parseChallenges(header))).toEqual(challenges);
  });

  it.each([
    ['challenges', Array.from({ length: 5_000 }, (_, index) => `A${index}`).join(', ')],
    ['parameters', `Bearer ${Array.from({ length: 1_000 }, (_, index) => `a${index}=b`).join(',')}`],
    ['quotes', `Bearer realm="${'\\"'.repeat(4_000)}`],
    ['blanks', `Bearer${' '.repeat(8_000)}realm`],
    ['commas', `Bearer realm=x${','.repeat(8_000)}`],
    ['text', `Bearer realm="${'x'.repeat(100_000)}"`],
  ])('with too many %s costs little and gives little', (_what, header) => {
    const challenges = parseChallenges(header);

    expect(challenges.length).toBeLessThanOrEqual(8);
    expect(Math.max(0, ...challenges.map(({ params }) => params.size))).toBeLessThanOrEqual(16);
  });

  it('is searched by scheme', () => {
    const challenges = parseChallenges('Basic realm="a", Bearer realm="b", Bearer realm="c"');

    expect(challengeOf(challenges, 'bearer')?.params.get('realm')).toBe('b');
    expect(challengeOf(challenges, 'basic')?.params.get('realm')).toBe('a');
    expect(challengeOf([], 'basic')).toBeUndefined();
  });
});
