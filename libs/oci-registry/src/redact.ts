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
const mostSecrets = 1000;

/**
 * Takes secrets out of text that others wrote: what a registry echoes in its error messages,
 * what a network error says about an address.
 */
export class Redactor {
  /** In the order in which they were last in use. */
  readonly #secrets = new Set<string>();

  constructor(secrets: readonly string[] = []) {
    this.learn(secrets);
  }

  /** Secrets come and go while we run: passwords are renewed, tokens are issued. Those used longest ago are let go. */
  learn(secrets: readonly string[]): void {
    for (const secret of secrets) {
      if (secret.length < leastSecretLength) continue;
      this.#secrets.delete(secret);
      this.#secrets.add(secret);
    }
    for (const oldest of this.#secrets) {
      if (this.#secrets.size <= mostSecrets) return;
      this.#secrets.delete(oldest);
    }
  }

  redact(text: string): string {
    return patterns.reduce((rest, [pattern, shown]) => rest.replace(pattern, shown), this.#withoutKnown(text));
  }

  /** Redacted, on one line, without control characters, at most `most` characters. */
  excerpt(text: string, most: number): string {
    // A secret that a cut goes through would not be known any more.
    const line = this.redact(this.#withoutKnown(text).slice(0, longestExcerpted))
      .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
      .trim();
    // A cut may leave half of a surrogate pair, which databases refuse.
    return (line.length > most ? `${line.slice(0, most)}…` : line).toWellFormed();
  }

  #withoutKnown(text: string): string {
    let rest = text;
    for (const secret of this.#secrets) rest = rest.replaceAll(secret, '***');
    return rest;
  }
}
