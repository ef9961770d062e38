import type { Clock } from '@waybill/kernel';
import type { Redactor } from '../redact.js';
import { RegistryError } from '../registry-error.js';
import { tokenOperation } from '../retry.js';
import { type Challenge, challengeOf, parseChallenges } from './challenge.js';
import {
  type Access,
  basicHeader,
  type CredentialProvider,
  type CredentialProviders,
  fingerprintOf,
  type RegistryCredentials,
  secretsOf,
} from './credentials.js';
import type { Realms } from './realms.js';
import { areReasonable, coversScopes, type Deed, mergeScopes, parseScopes, type Scopes, scopesFor } from './scopes.js';
import { ageOf, type Token } from './token.js';
import type { TokenRequest } from './token-server.js';
import type { Tokens } from './tokens.js';

export interface AuthorizerSettings {
  readonly credentials: CredentialProviders;
  readonly realms: Realms;
  readonly tokens: Pick<Tokens, 'get' | 'drop'>;
  readonly redactor: Redactor;
  readonly clock: Clock;
}

/** A request that is to be made, or was refused. */
export interface Purpose {
  readonly deed: Deed;
  /** A body that cannot be sent again. */
  readonly isLong: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** What a request carries, and whose it is. */
export interface Authorization {
  /** The value of the header; undefined for none. */
  readonly header: string | undefined;
  readonly credentials: RegistryCredentials | undefined;
  readonly token?: Token;
}

/** Where the registry says that it takes tokens from. */
type TokenSource = Pick<TokenRequest, 'realm' | 'service'>;

/** A token that does not allow enough is not asked for again before the server can have changed its mind. */
const secondThoughtsMs = 10_000;

/**
 * Decides what requests to a registry's own origin carry as `Authorization` (DESIGN invariant 4).
 * A user is introduced at once, as Basic wants it; when the registry has once asked for tokens, it gets
 * tokens only, and its token server gets the user.
 */
export class Authorizer {
  readonly #settings: AuthorizerSettings;
  readonly #providers: Readonly<Record<Access, CredentialProvider | undefined>>;
  #source: TokenSource | undefined;

  constructor(settings: AuthorizerSettings) {
    const { read, write, delete: remove } = settings.credentials;
    this.#settings = settings;
    this.#providers = { read: read ?? write, write, delete: remove ?? write };
  }

  /** @throws ContentError when the credentials or a token cannot be had */
  async authorize(purpose: Purpose): Promise<Authorization> {
    const credentials = await this.#current(purpose.deed.access, purpose.signal);
    if (this.#source === undefined || credentials?.kind === 'registry-token') return introduction(credentials);
    return await this.#withToken(this.#source, credentials, { ...purpose, scopes: scopesFor(purpose.deed) });
  }

  /**
   * What to carry instead, after an answer with that `WWW-Authenticate`; undefined when there is nothing better.
   * @throws ContentError as `authorize`, and `protocol` for a token server that must not be asked
   */
  async renew(refused: Authorization, header: string | undefined, purpose: Purpose): Promise<Authorization | undefined> {
    const challenges = parseChallenges(header);
    const bearer = challengeOf(challenges, 'bearer');
    if (bearer !== undefined && refused.credentials?.kind !== 'registry-token') return await this.#answer(bearer, refused, purpose);

    if (refused.token !== undefined && challengeOf(challenges, 'basic') !== undefined) {
      this.#source = undefined; // the registry has been set up anew since
      return refused.credentials?.kind === 'basic' ? introduction(refused.credentials) : undefined;
    }
    const changed = await this.#changed(refused.credentials, purpose);
    return changed === undefined ? undefined : introduction(changed);
  }

  async #answer(challenge: Challenge, refused: Authorization, purpose: Purpose): Promise<Authorization | undefined> {
    const source = { realm: this.#settings.realms.parse(challenge.params.get('realm')), service: challenge.params.get('service') };
    this.#source = source;
    const { token } = refused;
    const scopes = widened(scopesFor(purpose.deed), parseScopes(challenge.params.get('scope')));
    if (token !== undefined) {
      const isTooLittle = challenge.params.get('error') === 'insufficient_scope';
      // One that was asked for more may have got nothing of it, where servers grant all or nothing.
      const wasAskedFor = coversScopes(token.scopes, scopes) && coversScopes(scopes, token.scopes);
      if (isTooLittle && wasAskedFor && ageOf(token, this.#settings.clock) < secondThoughtsMs) return undefined;
      this.#settings.tokens.drop(token);
    }
    return await this.#withToken(source, refused.credentials, { ...purpose, scopes });
  }

  async #withToken(
    source: TokenSource,
    credentials: RegistryCredentials | undefined,
    purpose: Purpose & { readonly scopes: Scopes },
  ): Promise<Authorization> {
    try {
      return await this.#tokenFor(source, credentials, purpose);
    } catch (error) {
      if (!(error instanceof RegistryError) || error.operation !== tokenOperation) throw error;
      if (error.code === 'denied' && purpose.deed.mountedFrom !== undefined) {
        // Some servers grant all or nothing. Whether it may be mounted is the registry's to say; the upload has to go.
        const { mountedFrom: _mountedFrom, ...deed } = purpose.deed;
        return await this.#tokenFor(source, credentials, { ...purpose, deed, scopes: scopesFor(deed) });
      }
      const changed = error.status === undefined || error.code !== 'unauthorized' ? undefined : await this.#changed(credentials, purpose);
      if (changed === undefined) throw error;
      return await this.#tokenFor(source, changed, purpose);
    }
  }

  async #tokenFor(
    source: TokenSource,
    credentials: RegistryCredentials | undefined,
    { scopes, isLong, signal }: Purpose & { readonly scopes: Scopes },
  ): Promise<Authorization> {
    const { realms, tokens } = this.#settings;
    if (credentials?.kind === 'registry-token') return introduction(credentials);
    if (credentials !== undefined && !realms.isTrusted(source.realm)) throw realms.undeclared(source.realm);
    const token = await tokens.get({ ...source, scopes, credentials }, { purpose: isLong ? 'long' : 'short', signal });
    return { header: `Bearer ${token.value}`, credentials, token };
  }

  /** Other credentials than those that were refused: given by now, or when the provider is told to forget. */
  async #changed(refused: RegistryCredentials | undefined, { deed, signal }: Purpose): Promise<RegistryCredentials | undefined> {
    if (refused === undefined) return undefined;
    const isOther = (given: RegistryCredentials | undefined): boolean => fingerprintOf(given) !== fingerprintOf(refused);
    const now = await this.#current(deed.access, signal);
    if (isOther(now)) return now;
    this.#providers[deed.access]?.forget();
    const renewed = await this.#current(deed.access, signal);
    return isOther(renewed) ? renewed : undefined;
  }

  async #current(access: Access, signal: AbortSignal | undefined): Promise<RegistryCredentials | undefined> {
    const { redactor, clock } = this.#settings;
    const provider = this.#providers[access];
    let provided = await provider?.get(signal);
    if (provided?.expiresAt !== undefined && provided.expiresAt <= clock.now()) {
      provider?.forget();
      provided = await provider?.get(signal);
    }
    if (provided === undefined) return undefined;
    redactor.learn(secretsOf(provided.credentials));
    return provided.credentials;
  }
}

/** What can be carried before any token is asked for. */
function introduction(credentials: RegistryCredentials | undefined): Authorization {
  switch (credentials?.kind) {
    case 'basic':
      return { header: basicHeader(credentials.username, credentials.password), credentials };
    case 'registry-token':
      return { header: `Bearer ${credentials.token}`, credentials };
    case 'identity-token':
    case undefined:
      return { header: undefined, credentials };
  }
}

/** Registries name what they want in their own words; absurd wishes are not passed on. */
function widened(own: Scopes, wished: Scopes): Scopes {
  const both = mergeScopes(own, wished);
  return areReasonable(both) ? both : own;
}
