import { describe, expect, it } from '@jest/globals';
import { nextLink } from './link-header.js';

describe('the next page in a Link header', () => {
  it.each([
    ['', undefined],
    ['</v2/a/tags/list?n=2&last=b>; rel="next"', '/v2/a/tags/list?n=2&last=b'],
    ['</v2/a>; rel=next', '/v2/a'],
    ['</v2/a>;rel="next"', '/v2/a'],
    ['</first>; rel="first", </next>; rel="next"', '/next'],
    ['</a>; title="x, rel=next"; rel="prev"', undefined],
    ['</a>; rel="prev next"; title=b', '/a'],
    ['</a>; rel="nextish"', undefined],
    ['</a>', undefined],
    ['rubbish; rel="next"', undefined],
  ])('%s', (header, target) => {
    expect(nextLink(header)).toBe(target);
  });
});
