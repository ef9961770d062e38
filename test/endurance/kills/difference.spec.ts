import { expect, it } from '@jest/globals';
import { differenceOf } from './difference.js';

it.each([
  { of: 'the same lines in another order', expected: ['a', 'b', 'b'], actual: ['b', 'a', 'b'], difference: [] },
  { of: 'a line that is not there', expected: ['a', 'b'], actual: ['a'], difference: ['missing: b'] },
  { of: 'a line that is there twice', expected: ['a'], actual: ['a', 'a'], difference: ['too much: a'] },
  { of: 'a line that is another', expected: ['a'], actual: ['b'], difference: ['missing: a', 'too much: b'] },
])('tells of $of', ({ expected, actual, difference }) => {
  expect(differenceOf(expected, actual)).toEqual(difference);
});
