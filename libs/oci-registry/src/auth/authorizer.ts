import type { Redactor } from '../redact.js';
import {
  type Access,
  basicHeader,
  type CredentialProvider,
  type CredentialProviders,
  type RegistryCredentials,
  secretsOf,
} from './credentials.js';

/**
 * Decides what a request carries as `Authorization`. Credentials belong to one origin:
 * whatever the registry links or redirects to elsewhere is asked without them (DESIGN invariant 4).
 */
export class Authorizer {
  readonly #origin: string;
  readonly #redactor: Redactor;
  readonly #providers: Readonly<Record<Access, CredentialProvider | undefined>>;

  constructor(settings: { readonly origin: string; readonly credentials: CredentialProviders; readonly redactor: Redactor }) {
    const { read, write, delete: remove } = settings.credentials;
    this.#origin = settings.origin;
    this.#redactor = settings.redactor;
    this.#providers = { read: read ?? write, write, delete: remove ?? write };
  }

  /** The header's value for a request to `url`; undefined on every origin but the registry's own. */
  async authorization(url: URL, access: Access, signal?: AbortSignal): Promise<string | undefined> {
    if (url.origin !== this.#origin) return undefined;
    const provided = await this.#providers[access]?.get(signal);
    if (provided === undefined) return undefined;
    this.#redactor.learn(secretsOf(provided.credentials));
    return headerOf(provided.credentials);
  }
}

function headerOf(credentials: RegistryCredentials): string | undefined {
  switch (credentials.kind) {
    case 'basic':
      return basicHeader(credentials.username, credentials.password);
    case 'registry-token':
      return `Bearer ${credentials.token}`;
    case 'identity-token':
      return undefined;
  }
}
