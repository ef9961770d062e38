import { describe, expect, it } from '@jest/globals';
import { Proxies } from './proxies.js';

const http = { url: 'http://plain.proxy:3128' };
const https = { url: 'https://secure.proxy' };

describe('the proxy of an address', () => {
  it.each([
    ['http://registry.example.com/v2/', http.url],
    ['https://registry.example.com/v2/', https.url],
  ])('%s goes by its scheme', (url, proxy) => {
    expect(new Proxies({ http, https }).of(new URL(url))?.url.origin).toBe(proxy);
  });

  it('is none where none is given for the scheme', () => {
    expect(new Proxies({ https }).of(new URL('http://a.example'))).toBeUndefined();
    expect(new Proxies(undefined).of(new URL('https://a.example'))).toBeUndefined();
  });

  it.each([
    ['*', 'https://a.example', true],
    ['a.example', 'https://a.example', true],
    ['A.Example', 'https://a.EXAMPLE', true],
    [' a.example ', 'https://a.example', true],
    ['a.example', 'https://a.example.', true],
    ['a.example.', 'https://a.example', true],
    ['a.example', 'https://deep.below.a.example', true],
    ['.a.example', 'https://below.a.example', true],
    ['.a.example', 'https://a.example', true],
    ['*.a.example', 'https://below.a.example', true],
    ['a.example', 'https://ba.example', false],
    ['a.example', 'https://a.example.org', false],
    ['a.example:443', 'https://a.example', true],
    ['a.example:80', 'https://a.example', false],
    ['a.example:5000', 'http://a.example:5000', true],
    ['10.0.0.1', 'https://10.0.0.1', true],
    ['10.0.0.1', 'https://10.0.0.10', false],
    ['10.0.0.1:443', 'https://10.0.0.1', true],
    ['10.0.0.0/8', 'https://10.200.3.4', true],
    ['10.0.0.0/8', 'https://11.0.0.1', false],
    ['10.0.0.0/33', 'https://10.0.0.1', false],
    ['10.0.0.0/8', 'https://10.example', false],
    ['10.0.0.0/8/8', 'https://10.0.0.1', false],
    ['2001:db8::/32', 'https://[2001:db8::1]', true],
    ['2001:db8::1', 'https://[2001:db8:0::1]', true],
    ['[2001:db8::1]:443', 'https://[2001:db8::1]', true],
    ['[2001:db8::1]:80', 'https://[2001:db8::1]', false],
    ['', 'https://a.example', false],
    ['.', 'https://a.example', false],
  ])('except %j, for %s: %s', (entry, url, excepted) => {
    expect(new Proxies({ http, https, except: [entry] }).of(new URL(url)) === undefined).toBe(excepted);
  });

  it.each(['proxy.example', 'ftp://proxy.example', 'socks5://proxy.example', 'http://anna:hunter2@proxy.example', ''])(
    'is not made of %j',
    (url) => {
      const make = () => new Proxies({ http: { url } });

      expect(make).toThrow(expect.objectContaining({ code: 'reference-invalid' }));
      expect(make).not.toThrow(/hunter2/);
    },
  );
});
