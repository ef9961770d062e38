import type { BasicCredentials } from './options.js';

export type Access = 'read' | 'write';

/**
 * Decides what a request carries as `Authorization`. Credentials belong to one origin:
 * whatever the registry links or redirects to elsewhere is asked without them (DESIGN invariant 4).
 */
export class Authorizer {
  readonly #origin: string;
  readonly #headers: Readonly<Record<Access, string | undefined>>;

  constructor(origin: string, credentials: { readonly read?: BasicCredentials; readonly write?: BasicCredentials }) {
    this.#origin = origin;
    this.#headers = { read: basic(credentials.read ?? credentials.write), write: basic(credentials.write) };
  }

  /** The header's value for a request to `url`; undefined on every origin but the registry's own. */
  authorization(url: URL, access: Access): string | undefined {
    return url.origin === this.#origin ? this.#headers[access] : undefined;
  }
}

/** Every form in which the credentials could turn up in text. */
export function secretsOf(credentials: { readonly read?: BasicCredentials; readonly write?: BasicCredentials }): readonly string[] {
  return [credentials.read, credentials.write].flatMap((each) =>
    each === undefined ? [] : [each.password, encodeURIComponent(each.password), encoded(each)],
  );
}

function basic(credentials: BasicCredentials | undefined): string | undefined {
  return credentials === undefined ? undefined : `Basic ${encoded(credentials)}`;
}

/** RFC 7617, section 2, with UTF-8. */
function encoded(credentials: BasicCredentials): string {
  return Buffer.from(`${credentials.username}:${credentials.password}`, 'utf8').toString('base64');
}
