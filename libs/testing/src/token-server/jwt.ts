import { createHash, createPrivateKey, createPublicKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import type { IssuedCertificate } from '../certificates.js';

/** One entry of a token's `access`, as Distribution reads it. */
export interface GrantedAccess {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

export interface TokenClaims {
  readonly issuer: string;
  readonly subject: string;
  /** The registry's service name. Distribution 2.8 takes it as one string only. */
  readonly audience: string;
  readonly access: readonly GrantedAccess[];
  /** Seconds since 1970. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** Signs a token (RFC 7519, ES256) that both Distribution 2.8 and its successors can check by its certificate. */
export function signToken(claims: TokenClaims, signer: IssuedCertificate): string {
  const certificate = new X509Certificate(signer.cert);
  const header = { typ: 'JWT', alg: 'ES256', kid: libtrustKeyId(signer.cert), x5c: [certificate.raw.toString('base64')] };
  const { issuer, subject, audience, access, issuedAt, expiresAt } = claims;
  const payload = { iss: issuer, sub: subject, aud: audience, exp: expiresAt, nbf: issuedAt, iat: issuedAt, jti: randomUUID(), access };
  const signed = `${encoded(header)}.${encoded(payload)}`;
  const key = createPrivateKey(signer.key);
  return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

/** How Distribution 2.8 names a key: base32 of the first 30 bytes of the hash of the public key, in groups of four. */
function libtrustKeyId(certificate: string): string {
  const spki = createPublicKey(certificate).export({ type: 'spki', format: 'der' });
  const bytes = createHash('sha256').update(spki).digest().subarray(0, 30);
  return (base32(bytes).match(/.{4}/g) ?? []).join(':');
}

function base32(bytes: Buffer): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => alphabet.charAt(Number.parseInt(five, 2))).join('');
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
