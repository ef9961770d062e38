import type { Clock } from '@waybill/kernel';
import { codeOfAnswer, isRetryable } from '../answer-codes.js';
import { readCapped } from '../body.js';
import type { Answer, Exchange } from '../exchange.js';
import { errorOfNetwork } from '../network-errors.js';
import type { Redactor } from '../redact.js';
import { RegistryError } from '../registry-error.js';
import { retryAfterMs } from '../retry-after.js';
import { retrying, tokenOperation } from '../retry.js';
import { basicHeader, type RegistryCredentials } from './credentials.js';
import { type Scopes, scopeTexts } from './scopes.js';
import { parseGrant, parseRefusal, type TokenGrant } from './token-grant.js';

/** What a token is asked for, and as whom. */
export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: Scopes;
  readonly credentials: Exclude<RegistryCredentials, { readonly kind: 'registry-token' }> | undefined;
}

export interface TokenServerPowers {
  /** Host and port of the registry, for errors. */
  readonly host: string;
  readonly retries: number;
  readonly redactor: Redactor;
  readonly clock: Clock;
  exchange(exchange: Exchange, authorization: string | undefined): Promise<Answer>;
}

/** Most of a token server's answer that is read. */
const maxAnswerBytes = 64 * 1024;
const clientId = 'waybill';
/** Ways of asking that the server does not have, rather than a refusal. */
const knowsNoGet: ReadonlySet<number> = new Set([400, 404, 405, 501]);
const knowsNoPost: ReadonlySet<number> = new Set([404, 405, 501]);
const noTokenServer: ReadonlySet<number> = new Set([404, 405, 410]);
/** RFC 6749, section 5.2. */
const badCredentials: ReadonlySet<string> = new Set(['invalid_grant', 'invalid_client', 'unauthorized_client']);

/**
 * Asks token servers: by GET as in Distribution's token specification, by POST as in its OAuth2 variant.
 * Whether a realm may be told who we are is decided before, in `realms.ts`; its redirects are not followed.
 */
export class TokenServer {
  readonly #powers: TokenServerPowers;
  /** The realm that was last found to take no GET, so that it is not asked in vain each time. */
  #postsOnly: string | undefined;

  constructor(powers: TokenServerPowers) {
    this.#powers = powers;
  }

  /**
   * @throws RegistryError `unauthorized` when the credentials are refused, `denied` when they are good and
   *   nothing is granted, `protocol` for what is no token server; retryable for 429, 5xx and broken connections
   */
  async request(request: TokenRequest, signal?: AbortSignal): Promise<TokenGrant> {
    const { host, retries } = this.#powers;
    return await retrying({ connection: { host, retries }, operation: tokenOperation, signal }, () => this.#once(request, signal));
  }

  async #once(request: TokenRequest, signal: AbortSignal | undefined): Promise<TokenGrant> {
    const { credentials, realm } = request;
    const get = (): Promise<TokenGrant> => this.#get(request, signal);
    const post = (): Promise<TokenGrant> => this.#post(request, signal);
    if (credentials === undefined) return await get();
    // go-containerregistry goes on with GET where there is no POST.
    if (credentials.kind === 'identity-token') return await eitherOf([post, knowsNoPost], [get, knowsNoGet]);
    if (this.#postsOnly === realm.href) return await post();
    return await eitherOf(
      [get, knowsNoGet],
      [
        async () => {
          const grant = await post();
          this.#postsOnly = realm.href;
          return grant;
        },
        knowsNoPost,
      ],
    );
  }

  async #get({ realm, service, scopes, credentials }: TokenRequest, signal: AbortSignal | undefined): Promise<TokenGrant> {
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set('service', service);
    // One parameter for each, as the specification shows and every server takes.
    for (const scope of scopeTexts(scopes)) url.searchParams.append('scope', scope);
    url.searchParams.set('client_id', clientId);
    if (credentials?.kind === 'basic') url.searchParams.set('account', credentials.username);
    return await this.#ask({ method: 'GET', url }, { authorization: basicOf(credentials), signal });
  }

  async #post({ realm, service, scopes, credentials }: TokenRequest, signal: AbortSignal | undefined): Promise<TokenGrant> {
    const form = new URLSearchParams({ client_id: clientId, access_type: 'online', scope: scopeTexts(scopes).join(' ') });
    if (service !== undefined) form.set('service', service);
    for (const [name, value] of Object.entries(grantOf(credentials))) form.set(name, value);
    const body = Buffer.from(form.toString());
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return await this.#ask({ method: 'POST', url: realm, headers, body }, { authorization: undefined, signal });
  }

  async #ask(
    request: Pick<Exchange, 'method' | 'url' | 'headers' | 'body'>,
    { authorization, signal }: { readonly authorization: string | undefined; readonly signal: AbortSignal | undefined },
  ): Promise<TokenGrant> {
    const { host, redactor, clock } = this.#powers;
    const context = { host, operation: tokenOperation, redactor };
    const answer = await this.#powers.exchange({ ...request, kind: 'token', operation: tokenOperation, signal }, authorization);
    const body = await readCapped(answer, maxAnswerBytes).catch((error: unknown) => {
      throw errorOfNetwork(error, { ...context, party: `${request.url.host}, the token server of ${host},` });
    });
    if (answer.status !== 200) throw this.#refusal(answer, body.bytes);
    const grant = body.complete ? parseGrant(body.bytes, answer.headers, clock.now()) : undefined;
    if (grant === undefined) throw this.#error(`${request.url.host}, the token server of ${host}, gave no token`, answer, 'protocol');
    redactor.learn([grant.value]);
    return grant;
  }

  #refusal(answer: Answer, body: Uint8Array): RegistryError {
    const { status, url } = answer;
    const { codes, reason } = parseRefusal(body);
    const refusesUs = status === 401 || codes.some((code) => badCredentials.has(code));
    const code = refusesUs ? 'unauthorized' : codeOfRefusal(status, codes);
    const said = reason === '' ? '' : ` (${this.#powers.redactor.excerpt(reason, 300)})`;
    const hint = refusesUs ? ': it refuses the credentials, or wants some' : '';
    return this.#error(`${url.host}, the token server of ${this.#powers.host}, answered ${status}${said}${hint}`, answer, code);
  }

  #error(message: string, answer: Answer, code: RegistryError['code']): RegistryError {
    const wait = retryAfterMs(answer.headers['retry-after'], this.#powers.clock.now());
    return new RegistryError(message, {
      code,
      operation: tokenOperation,
      host: this.#powers.host,
      status: answer.status,
      retryable: isRetryable(code),
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
      details: { realm: answer.url.origin },
    });
  }
}

type Way = readonly [ask: () => Promise<TokenGrant>, unknownBy: ReadonlySet<number>];

/** The first way, or the second where the server has no such way; where it has neither, what it said to the first. */
async function eitherOf([first, notFirst]: Way, [second, notSecond]: Way): Promise<TokenGrant> {
  try {
    return await first();
  } catch (error) {
    if (!isAnsweredBy(notFirst, error)) throw error;
    try {
      return await second();
    } catch (another) {
      throw isAnsweredBy(notSecond, another) ? error : another;
    }
  }
}

function isAnsweredBy(statuses: ReadonlySet<number>, error: unknown): boolean {
  return error instanceof RegistryError && error.status !== undefined && statuses.has(error.status);
}

function codeOfRefusal(status: number, codes: readonly string[]): RegistryError['code'] {
  return noTokenServer.has(status) ? 'protocol' : codeOfAnswer(status, codes, tokenOperation);
}

function grantOf(credentials: TokenRequest['credentials']): Readonly<Record<string, string>> {
  if (credentials === undefined) return {};
  if (credentials.kind === 'identity-token') return { grant_type: 'refresh_token', refresh_token: credentials.token };
  return { grant_type: 'password', username: credentials.username, password: credentials.password };
}

/** `<token>` is the name under which Docker's credential helpers keep an identity token. */
function basicOf(credentials: TokenRequest['credentials']): string | undefined {
  if (credentials === undefined) return undefined;
  return credentials.kind === 'basic' ? basicHeader(credentials.username, credentials.password) : basicHeader('<token>', credentials.token);
}
