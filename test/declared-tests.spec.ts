import { describe, expect, it } from '@jest/globals';
import { declaresTest } from './declared-tests.js';

const source = `
describe('a suite', () => {
  it('does one thing', () => {});
  it.skip('is left out', () => {});
  const rows = [['a row', 1], ['another', 2]];
  it.each(rows)('refuses %s', () => {});
  it.each(['x'])('takes %j and %j (of $kind)', () => {});
  // it('is a comment', () => {});
  describe('a place', () => it('does another thing', () => {}));
});
`;

describe('declaresTest', () => {
  it.each(['does one thing', 'does another thing', 'refuses a row', 'refuses another', 'takes "x" and x (of a row)'])(
    'finds %j',
    (name) => {
      expect(declaresTest(source, name)).toBe(true);
    },
  );

  it.each([
    'does one',
    'Does one thing',
    'is left out',
    'is a comment',
    'a suite',
    'refuses %s of',
    'refuses nothing',
    'refuses ',
    'takes "x"',
  ])('does not find %j', (name) => {
    expect(declaresTest(source, name)).toBe(false);
  });
});
