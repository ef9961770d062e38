import { describe, expect, it } from '@jest/globals';
import { storableJson } from './storable-json.js';

describe('storableJson', () => {
  it.each<[string, string, string]>([
    ['what PostgreSQL takes as it is', 'plain "text" \\ of\nlines 🚢', 'plain "text" \\ of\nlines 🚢'],
    ['what only looks like an escape', 'C:\\u0000 \\ud83d', 'C:\\u0000 \\ud83d'],
    ['NUL left out', 'a\u0000b', 'ab'],
    ['a high surrogate alone replaced', 'a\ud83db', 'a\ufffdb'],
    ['a low surrogate alone replaced', 'a\udea2b', 'a\ufffdb'],
  ])('gives %s', (_what, text, stored) => {
    expect(JSON.parse(storableJson({ deep: [{ text }] }))).toEqual({ deep: [{ text: stored }] });
  });
});
