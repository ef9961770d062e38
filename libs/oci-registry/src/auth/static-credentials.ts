import type { CredentialProvider, ProvidedCredentials, RegistryCredentials } from './credentials.js';

/** Always the same credentials. */
export function staticCredentials(credentials: RegistryCredentials): CredentialProvider {
  return new StaticCredentials(credentials);
}

/** The user of that name: the most common of static credentials. */
export function basicCredentials(username: string, password: string): CredentialProvider {
  return staticCredentials({ kind: 'basic', username, password });
}

class StaticCredentials implements CredentialProvider {
  readonly #provided: ProvidedCredentials;

  constructor(credentials: RegistryCredentials) {
    this.#provided = { credentials };
  }

  async get(): Promise<ProvidedCredentials> {
    return this.#provided;
  }

  forget(): void {
    // There is nothing else to give.
  }
}
