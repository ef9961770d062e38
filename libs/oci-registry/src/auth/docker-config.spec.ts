import { describe, expect, it } from '@jest/globals';
import { ContentError } from '@waybill/oci-model';
import { dockerConfigEntry } from './docker-config.js';

const host = 'registry.example.com';
const auth = Buffer.from('anna:open:sesame').toString('base64');
const anna = { kind: 'basic', username: 'anna', password: 'open:sesame' };

function entryIn(config: object, of = host): unknown {
  return dockerConfigEntry(JSON.stringify(config), of);
}

describe('a Docker configuration', () => {
  it.each<[string, object, object]>([
    ['a user and a password', { auth }, anna],
    ['the same with padding', { auth: Buffer.from('anna:open:sesame\0\0').toString('base64') }, anna],
    ['the same in plain words', { username: 'anna', password: 'open:sesame' }, anna],
    ['an identity token, before the user', { auth, identitytoken: 'refresh' }, { kind: 'identity-token', token: 'refresh' }],
    ['a registry token, before all', { auth, identitytoken: 'refresh', registrytoken: 'jwt' }, { kind: 'registry-token', token: 'jwt' }],
  ])('gives %s', (_what, entry, credentials) => {
    expect(entryIn({ auths: { [host]: entry } })).toEqual({ credentials });
  });

  it.each([host, `https://${host}`, `http://${host}/`, `https://${host}/v1/`, `https://${host}/v2/`, `${host}/v1`])(
    'knows the registry as %s',
    (key) => {
      expect(entryIn({ auths: { 'other.example.com': { auth: '' }, [key]: { auth } } })).toEqual({ credentials: anna });
    },
  );

  it.each(['registry-1.docker.io', 'index.docker.io', 'docker.io'])('knows Docker Hub at %s by its old address', (hub) => {
    expect(entryIn({ auths: { 'https://index.docker.io/v1/': { auth } } }, hub)).toEqual({ credentials: anna });
    expect(entryIn({ credsStore: 'desktop' }, hub)).toEqual({ helper: { name: 'desktop', server: 'https://index.docker.io/v1/' } });
  });

  it.each([
    ['another registry', { auths: { 'other.example.com': { auth } } }],
    ['another port', { auths: { [`${host}:5000`]: { auth } } }],
    ['a namespace', { auths: { [`${host}/team`]: { auth } } }],
    ['an entry that a helper fills', { auths: { [host]: {} } }],
    ['nothing', {}],
    ['empty places', { auths: null, credHelpers: null, credsStore: '' }],
    ['what every object has', { auths: {}, credHelpers: {} }],
  ])('gives nothing for %s', (_what, config) => {
    expect(entryIn(config)).toEqual({});
    expect(entryIn(config, 'constructor')).toEqual({});
  });

  it('names the helper of this registry before the store of all', () => {
    const config = { credsStore: 'desktop', credHelpers: { [host]: 'ecr-login' }, auths: { [host]: { auth } } };

    expect(entryIn(config)).toEqual({ helper: { name: 'ecr-login', server: host }, credentials: anna });
    expect(entryIn(config, 'other.example.com')).toEqual({ helper: { name: 'desktop', server: 'other.example.com' } });
  });

  it.each([
    ['no JSON', '{"auths": {"registry.example.com": {"auth": "c2VzYW1l'],
    ['a list', '["sesame"]'],
    ['an entry that is none', JSON.stringify({ auths: { [host]: 'sesame' } })],
    ['what is no pair', JSON.stringify({ auths: { [host]: { auth: Buffer.from('sesame').toString('base64') } } })],
  ])('refuses %s without quoting it', (_what, text) => {
    const refuse = (): unknown => dockerConfigEntry(text, host);

    expect(refuse).toThrow(ContentError);
    expect(refuse).toThrow(/^(?!.*(?:sesame|c2VzYW1l)).*Docker configuration/);
  });
});
