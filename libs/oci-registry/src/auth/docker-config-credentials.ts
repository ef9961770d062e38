import type { CredentialProvider, ProvidedCredentials } from './credentials.js';
import { type DockerConfigEntry, dockerConfigEntry } from './docker-config.js';
import { helperCredentials, type HelperCredentialsOptions } from './helper-credentials.js';
import { fileText, type TextSource } from './text-source.js';

export interface DockerConfigOptions {
  /** The file's path, or where else its text comes from. */
  readonly config: string | TextSource;
  /** Host and port of the registry, as in its URL. */
  readonly host: string;
  /** For the helpers that the configuration names. */
  readonly helpers?: Pick<HelperCredentialsOptions, 'environment' | 'timeoutMs' | 'keepMs' | 'clock'>;
}

/**
 * What a Docker configuration (`config.json`) holds for a registry: `auths` with `auth`, `identitytoken` or
 * `registrytoken`, and what its `credHelpers` and `credsStore` give. A change is seen at the next request.
 */
export function dockerConfigCredentials(options: DockerConfigOptions): CredentialProvider {
  return new DockerConfigCredentials(options);
}

interface Read {
  readonly text: string;
  readonly entry: DockerConfigEntry;
  readonly helper: CredentialProvider | undefined;
}

class DockerConfigCredentials implements CredentialProvider {
  readonly #options: DockerConfigOptions;
  readonly #source: TextSource;
  #read: Read | undefined;

  constructor(options: DockerConfigOptions) {
    this.#options = options;
    this.#source = typeof options.config === 'string' ? fileText(options.config, 'the Docker configuration') : options.config;
  }

  async get(signal?: AbortSignal): Promise<ProvidedCredentials | undefined> {
    const { entry, helper } = await this.#current();
    const given = await helper?.get(signal);
    if (given !== undefined) return given;
    return entry.credentials === undefined ? undefined : { credentials: entry.credentials };
  }

  forget(): void {
    this.#read?.helper?.forget();
  }

  async #current(): Promise<Read> {
    const text = await this.#source.read();
    if (this.#read?.text === text) return this.#read;
    const entry = dockerConfigEntry(text, this.#options.host);
    const { name, server } = entry.helper ?? {};
    const helper =
      name === undefined || server === undefined ? undefined : helperCredentials({ ...this.#options.helpers, helper: name, server });
    this.#read = { text, entry, helper };
    return this.#read;
  }
}
