const patterns: readonly (readonly [RegExp, string])[] = [
  // user and password in front of a host
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, '$1***@'],
  // an upload session's address is a right to write
  [/(\/blobs\/uploads\/)[^\s"'<>]+/gi, '$1***'],
  // signed links carry their right in the query
  [/(\?)[^\s"'<>]*=[^\s"'<>]*/g, '$1***'],
  [/\b(basic|bearer)\s+[\w+/=.~-]{4,}/gi, '$1 ***'],
  // JSON web tokens
  [/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g, '***'],
];

const leastSecretLength = 4; // masking every "a" would say more than it hides
const longestExcerpted = 4096; // bounds what the patterns cost on text that was made to be slow

/**
 * Takes secrets out of text that others wrote: what a registry echoes in its error messages,
 * what a network error says about an address.
 */
export class Redactor {
  readonly #secrets: readonly string[];

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets.filter((secret) => secret.length >= leastSecretLength);
  }

  redact(text: string): string {
    const known = this.#secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
    return patterns.reduce((rest, [pattern, shown]) => rest.replace(pattern, shown), known);
  }

  /** Redacted, on one line, without control characters, at most `most` characters. */
  excerpt(text: string, most: number): string {
    const line = this.redact(text.slice(0, longestExcerpted))
      .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
      .trim();
    // A cut may leave half of a surrogate pair, which databases refuse.
    return (line.length > most ? `${line.slice(0, most)}…` : line).toWellFormed();
  }
}
