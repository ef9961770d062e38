import { describe, expect, it } from '@jest/globals';
import { annotationGlobProblem, annotationMatcher } from './annotation-glob.js';

describe('annotationMatcher', () => {
  it.each([
    ['main', 'main', true],
    ['main', 'mainline', false],
    ['release/*', 'release/1.4/hot', true],
    ['release/*', 'release/', true],
    ['*', '', true],
    ['*', 'two\nlines', true],
    ['v?', 'v1', true],
    ['v?', 'v', false],
    ['a.c', 'abc', false],
    ['(a|b)', 'a', false],
    ['(a|b)', '(a|b)', true],
    ['*@example.com', 'ß@example.com', true],
    ['?', '😀', true],
  ])('%j over %j is %s', (glob, value, expected) => {
    expect(annotationMatcher(glob)(value)).toBe(expected);
  });
});

describe('annotationGlobProblem', () => {
  it.each([
    ['', 'is empty'],
    ['a'.repeat(256), 'is longer than 255 characters'],
    ['a\u0000', 'has a control character'],
    ['main', undefined],
  ])('says of %j what is wrong with it', (glob, problem) => {
    if (problem === undefined) expect(annotationGlobProblem(glob)).toBeUndefined();
    else expect(annotationGlobProblem(glob)).toContain(problem);
  });
});
