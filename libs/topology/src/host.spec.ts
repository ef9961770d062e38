import { describe, expect, it } from '@jest/globals';
import { isHostName, isProxyException } from './host.js';

describe('isHostName', () => {
  it.each([
    ['a', true],
    ['registry.example.com', true],
    ['Registry-1.Example', true],
    ['my_host.internal', true],
    ['1.example', true],
    ['', false],
    ['a.', false],
    ['.a', false],
    ['a..b', false],
    ['-a', false],
    ['a-', false],
    ['a b', false],
    ['a:80', false],
    ['10.0.0.1', false],
    ['::1', false],
    ['a'.repeat(64), false],
    [`${'a'.repeat(60)}.`.repeat(5), false],
  ])('%j: %s', (text, is) => {
    expect(isHostName(text)).toBe(is);
  });
});

describe('isProxyException', () => {
  it.each([
    ['*', true],
    ['a.example', true],
    ['.a.example', true],
    ['*.a.example', true],
    ['a.example:443', true],
    ['.a.example:443', true],
    ['10.0.0.1', true],
    ['10.0.0.1:5000', true],
    ['10.0.0.0/8', true],
    ['2001:db8::/32', true],
    ['2001:db8::1', true],
    ['[2001:db8::1]:443', true],
    ['[2001:db8::1]', true],
    ['', false],
    ['.', false],
    ['*a', false],
    ['a.example:', false],
    ['a.example:port', false],
    ['10.0.0.0/33', false],
    ['10.0.0.0/8/8', false],
    ['10.0.0.0/', false],
    ['[a.example]', false],
    ['[10.0.0.1]:80', false],
    ['https://a.example', false],
  ])('%j: %s', (text, is) => {
    expect(isProxyException(text)).toBe(is);
  });
});
