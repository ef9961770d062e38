import { describe, expect, it } from '@jest/globals';
import { pageOf } from './page.js';

const names = ['b', 'A', 'c', 'a', 'B'];
const page = (query: string) => pageOf(names, '/v2/app/tags/list', new URLSearchParams(query));

describe('pageOf', () => {
  it('sorts without regard to case, and keeps one order for words that differ by it', () => {
    expect(page('')).toEqual({ names: ['A', 'a', 'B', 'b', 'c'], headers: {} });
  });

  it('leads from page to page until there is no more', () => {
    const seen: string[] = [];
    let query: string | undefined = 'n=2';
    while (query !== undefined) {
      const { names: part, headers } = page(query);
      seen.push(...part);
      query = /\?(.*)>; rel="next"$/.exec(headers.link ?? '')?.[1];
    }

    expect(seen).toEqual(['A', 'a', 'B', 'b', 'c']);
  });

  it('goes on after a name that is not there any more', () => {
    expect(page('last=bb').names).toEqual(['c']);
  });

  it('gives nothing and no link when asked for nothing', () => {
    expect(page('n=0')).toEqual({ names: [], headers: {} });
  });

  it('never gives more than a thousand names', () => {
    const many = Array.from({ length: 1001 }, (_, index) => `t${index}`);

    const first = pageOf(many, '/v2/_catalog', new URLSearchParams('n=5000'));

    expect(first.names).toHaveLength(1000);
    expect(first.headers.link).toContain('n=1000');
  });

  it.each(['n=-1', 'n=x', 'n=', 'n=1e3'])('refuses %s', (query) => {
    expect(() => page(query)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED', status: 400 }));
  });
});
