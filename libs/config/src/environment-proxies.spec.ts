import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { ConfigError } from './config-error.js';
import { environmentProxies } from './environment-proxies.js';
import type { Environment } from './variable.js';

const here = ['localhost', '127.0.0.0/8', '::1'];

describe('environmentProxies', () => {
  it.each<[string, Environment, object]>([
    ['none', {}, { except: here }],
    ['none that are empty', { HTTPS_PROXY: '', NO_PROXY: '' }, { except: here }],
    [
      'one for each scheme',
      { HTTP_PROXY: 'http://a:3128', HTTPS_PROXY: 'https://b' },
      { http: { url: 'http://a:3128' }, https: { url: 'https://b' }, except: here },
    ],
    [
      'the spelling in lower case first',
      { https_proxy: 'http://a:1', HTTPS_PROXY: 'http://b:1' },
      { https: { url: 'http://a:1' }, except: here },
    ],
    ['the other where that is empty', { https_proxy: '', HTTPS_PROXY: 'http://b:1' }, { https: { url: 'http://b:1' }, except: here }],
    ['a proxy without a scheme', { HTTPS_PROXY: 'proxy.example:3128' }, { https: { url: 'http://proxy.example:3128' }, except: here }],
    [
      'credentials, decoded',
      { HTTPS_PROXY: 'http://j%C3%BCrgen:a%3Ab%40c@proxy:3128/' },
      { https: { url: 'http://proxy:3128', credentials: { username: 'jürgen', password: 'a:b@c' } }, except: here },
    ],
    [
      'exceptions by commas and spaces',
      { NO_PROXY: '.corp, 10.0.0.0/8 a.example,,' },
      { except: [...here, '.corp', '10.0.0.0/8', 'a.example'] },
    ],
    ['none of other programs', { ALL_PROXY: 'socks5://a', FTP_PROXY: 'http://b' }, { except: here }],
  ])('reads %s', (_what, env, proxies) => {
    expect(environmentProxies(env)).toEqual(proxies);
  });

  it.each(['socks5://hunter2@proxy:1080', 'http://proxy/hunter2', 'http://:::hunter2', 'http://a:%E0%A4hunter2@proxy'])(
    'refuses %j and does not quote it',
    (value) => {
      const read = () => environmentProxies({ https_proxy: value });

      expect(read).toThrow(ConfigError);
      expect(read).toThrow(expect.objectContaining({ code: 'config-invalid', message: expect.stringContaining('https_proxy') }));
      try {
        read();
      } catch (error) {
        expect(inspect(error, { depth: 12 })).not.toContain('hunter2');
      }
    },
  );
});
