import { X509Certificate } from 'node:crypto';

const block = /-----BEGIN ([A-Z ]+)-----[^-]*-----END \1-----/g;

/** What is wrong with a text that should be certificates in PEM form; undefined when nothing is. */
export function authorityProblem(text: string): string | undefined {
  const blocks = Array.from(text.matchAll(block), ([pem, kind = '']) => ({ pem, kind }));
  if (blocks.some(({ kind }) => kind.endsWith('PRIVATE KEY'))) return 'holds a private key; whoever reads this file has it now';
  if (blocks.length === 0) return 'is no certificate in PEM form; to name a secret that is, write { secret: … }';
  if (!blocks.every(({ pem, kind }) => kind === 'CERTIFICATE' && isCertificate(pem))) return 'has a certificate that cannot be read';
  return undefined;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.byteLength > 0;
  } catch {
    return false;
  }
}
