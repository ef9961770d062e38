import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP, isIPv6 } from 'node:net';
import { bitString, contextual, integer, oid, octetString, sequence, set, time, truth, utf8 } from './der.js';

/** A certificate and its key, both in PEM form. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateRequest {
  /** Host names and addresses that it is good for; none for a client. */
  readonly names?: readonly string[];
  readonly subject?: string;
  /** Default: in an hour. */
  readonly notAfter?: Date;
}

/** A certificate authority that no one trusts but those who are given its certificate. */
export interface TestAuthority {
  /** Its own certificate in PEM form. */
  readonly ca: string;
  issue(request?: CertificateRequest): IssuedCertificate;
}

const hour = 3_600_000;

/** Makes an authority with keys of its own, so that each suite trusts only itself. */
export function createAuthority(name = 'waybill test authority'): TestAuthority {
  const issuer = newKeys();
  const build = (subject: Subject): string => certificate(subject, { name, key: issuer.privateKey });
  return {
    ca: build({ name, publicKey: issuer.publicKey, notAfter: new Date(Date.now() + hour), extensions: [isAuthority] }),
    issue({ names = [], subject = 'waybill test', notAfter = new Date(Date.now() + hour) } = {}) {
      const { publicKey, privateKey } = newKeys();
      const extensions = names.length === 0 ? [] : [alternativeNames(names)];
      return {
        cert: build({ name: subject, publicKey, notAfter, extensions }),
        key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}

interface Subject {
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly notAfter: Date;
  readonly extensions: readonly Buffer[];
}

function newKeys(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));

/** RFC 5280, section 4.1. */
function certificate(
  { name, publicKey, notAfter, extensions }: Subject,
  issuer: { readonly name: string; readonly key: KeyObject },
): string {
  const body = sequence(
    contextual(0, integer(Buffer.from([2]))), // version 3
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    distinguishedName(issuer.name),
    sequence(time(new Date(notAfter.getTime() - 24 * hour)), time(notAfter)),
    distinguishedName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length === 0 ? [] : [contextual(3, sequence(...extensions))]),
  );
  const der = sequence(body, ecdsaWithSha256, bitString(sign('sha256', body, issuer.key)));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function distinguishedName(commonName: string): Buffer {
  return sequence(set(sequence(oid('2.5.4.3'), utf8(commonName))));
}

const isAuthority = sequence(oid('2.5.29.19'), truth, octetString(sequence(truth)));

function alternativeNames(names: readonly string[]): Buffer {
  const entries = names.map((name) => {
    if (isIP(name) === 0) return contextual(2, Buffer.from(name, 'ascii'), { constructed: false });
    if (isIPv6(name)) throw new TypeError('certificates for addresses of version 6 are not made here');
    return contextual(7, Buffer.from(name.split('.').map(Number)), { constructed: false });
  });
  return sequence(oid('2.5.29.17'), octetString(sequence(...entries)));
}
