import { type Clock, systemClock } from '@waybill/kernel';
import { askCredentialHelper, type HelperCall } from './credential-helper.js';
import type { CredentialProvider, ProvidedCredentials, RegistryCredentials } from './credentials.js';
import { SingleFlight } from './single-flight.js';

export interface HelperCredentialsOptions extends HelperCall {
  /** How long an answer is used before the helper is asked again. Default 5 minutes: helpers do not say how long theirs is good. */
  readonly keepMs?: number;
  readonly clock?: Clock;
}

const defaultKeepMs = 5 * 60 * 1000;

/** The credentials that a helper program gives, asked for once at a time and kept for a while. */
export function helperCredentials(options: HelperCredentialsOptions): CredentialProvider {
  return new HelperCredentials(options);
}

class HelperCredentials implements CredentialProvider {
  readonly #options: HelperCredentialsOptions;
  readonly #clock: Clock;
  readonly #flights = new SingleFlight<RegistryCredentials | undefined>('read credentials');
  #kept: { readonly until: number; readonly credentials: RegistryCredentials | undefined } | undefined;

  constructor(options: HelperCredentialsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  async get(signal?: AbortSignal): Promise<ProvidedCredentials | undefined> {
    const kept = this.#kept;
    const credentials = kept !== undefined && kept.until > this.#clock.monotonic() ? kept.credentials : await this.#ask(signal);
    return credentials === undefined ? undefined : { credentials };
  }

  forget(): void {
    this.#kept = undefined;
  }

  async #ask(signal: AbortSignal | undefined): Promise<RegistryCredentials | undefined> {
    return await this.#flights.run(
      'get',
      async (shared) => {
        const credentials = await askCredentialHelper(this.#options, shared);
        this.#kept = { until: this.#clock.monotonic() + (this.#options.keepMs ?? defaultKeepMs), credentials };
        return credentials;
      },
      signal,
    );
  }
}
