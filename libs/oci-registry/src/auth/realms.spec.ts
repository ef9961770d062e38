import { describe, expect, it } from '@jest/globals';
import { Realms } from './realms.js';

function realmsOf(origin: string, declared: readonly string[] = []): Realms {
  return new Realms(new URL(origin), declared);
}

describe('a token realm', () => {
  it.each<[string, string, string, readonly string[]]>([
    ['at the own origin', 'https://reg.example.com', 'https://reg.example.com/token?a=b', []],
    ['at the own origin and port', 'https://reg.example.com:5000', 'https://reg.example.com:5000/token', []],
    ['of Docker Hub', 'https://registry-1.docker.io', 'https://auth.docker.io/token', []],
    ['of GitLab', 'https://registry.gitlab.com', 'https://gitlab.com/jwt/auth', []],
    ['of GitHub', 'https://ghcr.io', 'https://ghcr.io/token', []],
    ['of Azure', 'https://acme.azurecr.io', 'https://acme.azurecr.io/oauth2/token', []],
    ['that was declared', 'https://reg.example.com', 'https://auth.example.com/token', ['https://auth.example.com']],
    ['at a declared address', 'https://reg.example.com', 'https://example.com/jwt/auth', ['https://example.com/jwt/auth']],
  ])('%s is told who we are', (_what, origin, realm, declared) => {
    const realms = realmsOf(origin, declared);

    expect(realms.isTrusted(realms.parse(realm))).toBe(true);
  });

  it.each<[string, string, string, readonly string[]]>([
    ['elsewhere', 'https://reg.example.com', 'https://auth.example.com/token', []],
    ['at another port', 'https://reg.example.com', 'https://reg.example.com:8443/token', []],
    ['below the own name', 'https://example.com', 'https://auth.example.com/token', []],
    ['of another vendor', 'https://reg.example.com', 'https://auth.docker.io/token', []],
    ['of a vendor whose name only begins so', 'https://registry-1.docker.io', 'https://auth.docker.io.evil.example/token', []],
    ['of a vendor that is asked in the clear', 'http://registry-1.docker.io', 'https://auth.docker.io/token', []],
    ['at another address of a declared host', 'https://reg.example.com', 'https://example.com/other', ['https://example.com/jwt/auth']],
    ['at a declared name by http', 'http://reg.example.com', 'http://auth.example.com/token', ['https://auth.example.com']],
  ])('%s may be asked, but not as anybody', (_what, origin, realm, declared) => {
    const realms = realmsOf(origin, declared);

    expect(realms.isTrusted(realms.parse(realm))).toBe(false);
  });

  it.each<[string, string, string | undefined, string]>([
    ['that is missing', 'https://reg.example.com', undefined, 'names no usable server'],
    ['that is no address', 'https://reg.example.com', '/token', 'names no usable server'],
    ['that is no HTTP', 'https://reg.example.com', 'file:///etc/passwd', 'does not speak HTTP'],
    ['with credentials in it', 'https://reg.example.com', 'https://a:sesame@reg.example.com/token', 'credentials in its address'],
    [
      'in the clear',
      'https://reg.example.com',
      'http://auth.example.com/token',
      'auth.example.com, which would be asked without encryption',
    ],
    [
      'in the clear on our machine',
      'https://reg.example.com',
      'http://127.0.0.1:1/token',
      '127.0.0.1:1, which would be asked without encryption',
    ],
    ['of the cloud', 'http://reg.example.com', 'http://169.254.169.254/token', '169.254.169.254, whose address must not be followed'],
    ['on our machine', 'http://reg.example.com', 'http://localhost:8080/token', 'localhost:8080, whose address must not be followed'],
  ])('%s is not asked at all', (_what, origin, realm, says) => {
    const parse = (): URL => realmsOf(origin).parse(realm);

    expect(parse).toThrow(expect.objectContaining({ code: 'protocol', retryable: false, operation: 'get token' }));
    expect(parse).toThrow(says);
    expect(parse).not.toThrow('sesame');
  });

  it('on this machine may be asked in the clear by a registry on it', () => {
    expect(realmsOf('https://127.0.0.1:5000').parse('http://127.0.0.1:5001/token').port).toBe('5001');
    expect(realmsOf('http://localhost:5000').parse('http://127.0.0.1:5001/token').port).toBe('5001');
  });

  it.each(['auth.example.com', 'ftp://auth.example.com', 'https://a:sesame@auth.example.com', 'https://auth.example.com?a=b', ''])(
    'cannot be declared as %j',
    (declared) => {
      const make = (): Realms => realmsOf('https://reg.example.com', [declared]);

      expect(make).toThrow(expect.objectContaining({ code: 'reference-invalid' }));
      expect(make).not.toThrow('sesame');
    },
  );
});
