import type { PeerCertificate, TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { buildImage, contentErrorOf, createAuthority, sample, type Script, scriptedRegistries } from '@waybill/testing';
import type { TlsOptions } from './network-options.js';
import { RegistryClient } from './registry-client.js';

const { blob, bytes, latest } = sample;
const { manifest } = buildImage();
const authority = createAuthority('the company');
const stranger = createAuthority('somebody else');
const server = authority.issue({ names: ['127.0.0.1', 'localhost'] });
const client = authority.issue({ subject: 'waybill' });
const hasTag: Script = (_request, response) => response.writeHead(200, { 'docker-content-digest': manifest.digest }).end();

/** Who a request came from, by the certificate that was shown. */
function shownBy(socket: unknown): unknown {
  const certificate: Partial<PeerCertificate> = (socket as TLSSocket).getPeerCertificate();
  return certificate.subject?.CN;
}

describe('TLS', () => {
  const registries = scriptedRegistries();

  it('trusts the authority of the registry', async () => {
    const { repository } = await registries.start(hasTag, { tls: { ca: authority.ca } }, server);

    expect(await repository.resolveTag(latest)).toBe(manifest.digest);
  });

  it('finds an authority among several in one text', async () => {
    const { repository } = await registries.start(hasTag, { tls: { ca: `old:\n${stranger.ca}\nnew:\n${authority.ca}` } }, server);

    expect(await repository.resolveTag(latest)).toBe(manifest.digest);
  });

  it.each<[string, TlsOptions | undefined]>([
    ['an authority that nobody named', undefined],
    ['another authority than the one that was named', { ca: stranger.ca }],
    ['another host name than the one that was named', { ca: authority.ca, serverName: 'registry.example.com' }],
  ])('refuses %s', async (_what, tls) => {
    const registry = await registries.start(hasTag, tls === undefined ? {} : { tls }, server);

    const error = await contentErrorOf(registry.repository.resolveTag(latest));

    expect(error).toMatchObject({ code: 'unreachable', retryable: false });
    expect(error.message).toContain('certificate that is not trusted');
    expect(registry.server.requests).toEqual([]);
  });

  it('refuses a certificate that has run out', async () => {
    const old = authority.issue({ names: ['127.0.0.1'], notAfter: new Date(Date.now() - 60_000) });
    const { repository } = await registries.start(hasTag, { tls: { ca: authority.ca } }, old);

    expect(await contentErrorOf(repository.resolveTag(latest))).toMatchObject({ code: 'unreachable', retryable: false });
  });

  it('asks for the server by the name that was given', async () => {
    const names: (string | false | null)[] = [];
    const other = authority.issue({ names: ['registry.internal'] });
    const { repository } = await registries.start(
      (request, response) => {
        names.push((request.socket as TLSSocket & { readonly servername: string | false | null }).servername);
        response.writeHead(200, { 'docker-content-digest': manifest.digest }).end();
      },
      { tls: { ca: authority.ca, serverName: 'registry.internal' } },
      other,
    );

    expect(await repository.resolveTag(latest)).toBe(manifest.digest);
    expect(names).toEqual(['registry.internal']);
  });

  describe('with a client certificate', () => {
    const demanding = { ...server, ca: authority.ca, requestCert: true, rejectUnauthorized: true };
    const tls: TlsOptions = { ca: authority.ca, ...client };

    it('shows it to a registry that asks', async () => {
      const shown: unknown[] = [];
      const { repository } = await registries.start(
        (request, response) => {
          shown.push(shownBy(request.socket));
          response.writeHead(200, { 'docker-content-digest': manifest.digest }).end();
        },
        { tls },
        demanding,
      );

      expect(await repository.resolveTag(latest)).toBe(manifest.digest);
      expect(shown).toEqual(['waybill']);
    });

    it('never shows it to a host that the registry links to, which the usual authorities may vouch for as well', async () => {
      const shown: unknown[] = [];
      const curious = { ...demanding, rejectUnauthorized: false };
      const storage = await registries.elsewhere((request, response) => {
        shown.push(shownBy(request.socket));
        response.writeHead(200).end(bytes);
      }, curious);
      const { repository } = await registries.start(
        (_request, response) => response.writeHead(307, { location: `${storage.origin}/b` }).end(),
        { tls },
        demanding,
      );

      const read = await (await repository.readBlob(blob)).toArray();

      expect(Buffer.concat(read).equals(bytes)).toBe(true);
      expect(shown).toEqual([undefined]);
    });

    it('does not ask a linked host by the name of the registry', async () => {
      const storage = await registries.elsewhere((_request, response) => response.writeHead(200).end(bytes), server);
      const { repository } = await registries.start(
        (_request, response) => response.writeHead(307, { location: `${storage.origin}/b` }).end(),
        { tls: { ca: authority.ca, serverName: 'registry.internal' } },
        authority.issue({ names: ['registry.internal'] }),
      );

      const read = await (await repository.readBlob(blob)).toArray();

      expect(Buffer.concat(read).equals(bytes)).toBe(true);
    });
  });

  describe('that was set up wrongly is refused at once:', () => {
    const other = authority.issue();

    it.each<[string, TlsOptions, string, string]>([
      ['an authority that is no certificate', { ca: 'ca.pem' }, 'unreachable', 'no certificate in PEM form'],
      ['an authority with a broken certificate', { ca: authority.ca.replace('MII', 'MIX') }, 'unreachable', 'no certificate in PEM form'],
      ['a certificate without a key', { cert: client.cert }, 'unauthorized', 'needs both'],
      ['a key without a certificate', { key: client.key }, 'unauthorized', 'needs both'],
      ['a certificate that is none', { cert: client.key, key: client.key }, 'unauthorized', 'no certificate in PEM form'],
      ['a key that is none', { cert: client.cert, key: client.cert }, 'unauthorized', 'no private key in PEM form'],
      ['a key of another certificate', { cert: client.cert, key: other.key }, 'unauthorized', 'belongs to another key'],
    ])('%s', (_what, tls, code, says) => {
      const make = () => new RegistryClient({ origin: 'https://registry.example.com', tls });

      expect(make).toThrow(expect.objectContaining({ code, retryable: false, message: expect.stringContaining(says) }));
      try {
        make();
      } catch (error) {
        expect(inspect(error, { depth: 12, showHidden: true })).not.toMatch(/BEGIN|PRIVATE KEY/);
      }
    });
  });
});
