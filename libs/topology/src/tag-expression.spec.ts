import { describe, expect, it } from '@jest/globals';
import { matchesTagExpression, parseTagExpression } from './tag-expression.js';

describe('matchesTagExpression', () => {
  it.each([
    ['^v?[0-9]+\\.[0-9]+\\.[0-9]+$', 'v1.2.3', true],
    ['^v?[0-9]+\\.[0-9]+\\.[0-9]+$', '1.2.3-rc.1', false],
    ['[0-9]+', '12', true],
    ['[0-9]+', 'v12', false],
    ['a|b', 'ab', false],
    ['(?i)RC.*', 'rc1', true],
    ['.*', 'latest', true],
    ['(', 'latest', false],
  ])('asks the whole tag: %s on %s: %s', (expression, tag, expected) => {
    expect(matchesTagExpression(expression, tag)).toBe(expected);
  });

  it('takes time in proportion to the tag, whatever the expression', () => {
    expect(matchesTagExpression('(a+)+b', 'a'.repeat(128))).toBe(false);
    expect(matchesTagExpression('(a|a)*c', 'a'.repeat(128))).toBe(false);
  });
});

describe('parseTagExpression', () => {
  it.each([
    ['', 'is empty; ".*" admits every tag'],
    ['[', 'is no RE2 expression: missing closing ]'],
    ['(', 'is no RE2 expression: missing closing )'],
    ['*', 'is no RE2 expression: missing argument to repetition operator'],
    ['(?=v)', 'is no RE2 expression: invalid or unsupported Perl syntax'],
    ['(a)\\1', 'is no RE2 expression: invalid escape sequence'],
    ['(a{1000}){1000}', 'is no RE2 expression'],
    ['v\0', 'has a control character'],
    ['v\n', 'has a control character'],
    ['\ud800', 'has a control character'],
    ['a'.repeat(1001), 'is longer than 1000 characters'],
  ])('refuses %j', (expression, problem) => {
    expect(parseTagExpression(expression)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  });
});
