import { type BasicSecret, ConfigError, parseBasicSecret, type SecretSource, secretVariable } from '@waybill/config';
import { ContentError, type ContentErrorCode } from '@waybill/oci-model';

/** What a secret should hold, in the words of an error. */
const basicForm = 'username:password';

/**
 * The secrets of one registry, by name. To whoever talks to registries, a secret that cannot be used is about
 * that one registry and must not stop the others, so everything is thrown as a ContentError that names it.
 */
export class NamedSecrets {
  readonly #source: SecretSource;
  readonly #registry: string;

  constructor(source: SecretSource, registry: string) {
    this.#source = source;
    this.#registry = registry;
  }

  /** @throws ContentError `unauthorized` for a secret that is missing or not of that form */
  basic(name: string): BasicSecret {
    return this.guard('credentials', () => parseBasicSecret(name, this.#value(name, basicForm)));
  }

  /**
   * The whole value of a secret; `form` says what it should be.
   * @throws ContentError `unauthorized` for one that is missing
   */
  text(name: string, form: string): string {
    return this.guard('credentials', () => this.#value(name, form));
  }

  /** Runs `act`; what is wrong with the configuration becomes an error about `what` of the registry. */
  guard<T>(what: string, act: () => T, code: ContentErrorCode = 'unauthorized'): T {
    try {
      return act();
    } catch (cause) {
      if (!(cause instanceof ConfigError)) throw cause;
      throw new ContentError(`the ${what} of registry ${this.#registry} cannot be used: ${cause.message}`, {
        code,
        operation: 'read credentials',
        cause,
      });
    }
  }

  #value(name: string, form: string): string {
    const value = this.#source.read(name);
    if (value !== undefined) return value;
    const variable = secretVariable('WAYBILL_SECRET_', name);
    throw new ContentError(
      `secret "${name}" of registry ${this.#registry} is not set: give ${variable}=${form}, or a file of that name in the secrets folder`,
      { code: 'unauthorized', operation: 'read credentials' },
    );
  }
}
