import { describe, expect, it } from '@jest/globals';
import { parseRegistryUrl } from './registry-url.js';

describe('parseRegistryUrl', () => {
  it.each([
    [
      'https://Registry.Example:443/',
      { origin: 'https://registry.example', secure: true, loopback: false, hostAndPort: 'registry.example:443' },
    ],
    ['http://127.0.0.1:5003', { origin: 'http://127.0.0.1:5003', secure: false, loopback: true, hostAndPort: 'localhost:5003' }],
    ['http://[::1]', { origin: 'http://[::1]', secure: false, loopback: true, hostAndPort: 'localhost:80' }],
    ['http://x.localhost:1', { origin: 'http://x.localhost:1', secure: false, loopback: true, hostAndPort: 'x.localhost:1' }],
    ['http://2130706433:80', { origin: 'http://127.0.0.1', secure: false, loopback: true, hostAndPort: 'localhost:80' }],
    [
      'https://registry.example.:5000',
      { origin: 'https://registry.example.:5000', secure: true, loopback: false, hostAndPort: 'registry.example:5000' },
    ],
  ])('reads %s', (text, expected) => {
    expect(parseRegistryUrl(text)).toEqual({ ok: true, ...expected });
  });

  it.each([
    ['registry.example', 'is not a URL'],
    ['', 'is not a URL'],
    ['https://registry.example:99999', 'is not a URL'],
    [' https://registry.example', 'is not a URL'],
    ['https:\\\\registry.example', 'is not a URL'],
    ['https://regi\nstry.example', 'is not a URL'],
    ['oci://registry.example', 'must begin with https:// or http://'],
    ['https://registry.example/v2/', 'a path below it is the registry\'s "prefix"'],
    ['https://registry.example?', 'must end after the host and port'],
    ['https://registry.example/#', 'must end after the host and port'],
  ])('refuses %j', (text, problem) => {
    expect(parseRegistryUrl(text)).toEqual({ ok: false, code: 'url-invalid', problem: expect.stringContaining(problem) });
  });

  it.each([
    'https://user:hunter2@registry.example',
    'https://hunter2@registry.example',
    'https://@registry.example',
    'user:hunter2@registry',
  ])('refuses credentials without repeating them: %s', (text) => {
    const parsed = parseRegistryUrl(text);

    expect(parsed).toMatchObject({ ok: false, code: 'url-credentials' });
    expect(JSON.stringify(parsed)).not.toContain('hunter2');
  });
});
