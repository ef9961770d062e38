import type { BasicSecret } from '@waybill/config';
import { type Clock, systemClock } from '@waybill/kernel';
import type { CredentialProvider, ProvidedCredentials } from '@waybill/oci-registry';

/** How long a value is used before it is read again: a file is not read for each of a thousand requests. */
const keepMs = 1_000;

/**
 * A user by a named secret. A rotated one counts a second later, or as soon as the registry refuses the old one,
 * also for whoever has been at work for hours.
 */
export function secretCredentials(read: () => BasicSecret, clock: Clock = systemClock): CredentialProvider {
  return new SecretCredentials(read, clock);
}

class SecretCredentials implements CredentialProvider {
  readonly #read: () => BasicSecret;
  readonly #clock: Clock;
  #kept: { readonly until: number; readonly provided: ProvidedCredentials } | undefined;

  constructor(read: () => BasicSecret, clock: Clock) {
    this.#read = read;
    this.#clock = clock;
  }

  async get(): Promise<ProvidedCredentials> {
    if (this.#kept !== undefined && this.#kept.until > this.#clock.monotonic()) return this.#kept.provided;
    const { username, password } = this.#read();
    const provided: ProvidedCredentials = { credentials: { kind: 'basic', username, password } };
    this.#kept = { until: this.#clock.monotonic() + keepMs, provided };
    return provided;
  }

  forget(): void {
    this.#kept = undefined;
  }
}
