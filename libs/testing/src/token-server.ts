import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { createAuthority, type IssuedCertificate } from './certificates.js';
import type { TokenAuth } from './docker-registry.js';
import { type ScriptedServer, startScriptedServer } from './scripted-server.js';
import { type AskedForToken, readAsked } from './token-server/asked.js';
import { type GrantedAccess, signToken } from './token-server/jwt.js';

export interface TokenServerOptions {
  /** Passwords by user. */
  readonly users?: Readonly<Record<string, string>>;
  /** Users by identity token, for those who come with one of these. */
  readonly identityTokens?: Readonly<Record<string, string>>;
  /** May this user (undefined: anyone) do that, e.g. `push` to `repository:team/app`? Default: users everything, others nothing. */
  readonly allows?: (user: string | undefined, resource: string, action: string) => boolean;
  /** What tokens say of how long they live. Default 300. Distribution takes them for a minute more. */
  readonly ttlSeconds?: number;
  /** How long ago tokens say that they were issued: give an age past the lifetime to issue expired ones. Default 0. */
  readonly ageSeconds?: number;
  /** An answer instead of the right one. */
  readonly instead?: (asked: AskedForToken, response: ServerResponse) => unknown;
  /** Which ways of asking there are. Default both. */
  readonly methods?: readonly ('GET' | 'POST')[];
}

/** What was asked for and how it was answered. */
export interface SeenTokenRequest extends Omit<AskedForToken, 'proof'> {
  /** Undefined for nobody, and for a wrong password. */
  readonly user: string | undefined;
  readonly status: number;
  /** As scopes, e.g. `repository:team/app:pull`. */
  readonly granted: readonly string[];
}

/** A registry token server on loopback: Distribution's token specification, with real signatures. */
export interface TokenServer {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** What a registry has to be told so that it takes tokens of this server; another after `rotateKey`. */
  readonly auth: TokenAuth;
  /** In order. */
  readonly requests: readonly SeenTokenRequest[];
  /** From now on. */
  change(changes: TokenServerOptions): void;
  /** Signs with another key, so that a registry started anew with `auth` refuses all older tokens. */
  rotateKey(): void;
  stop(): Promise<void>;
}

const service = 'waybill-test-registry';
const issuer = 'waybill-test-tokens';

export async function startTokenServer(options: TokenServerOptions = {}): Promise<TokenServer> {
  let current = options;
  let signer = newSigner();
  const requests: SeenTokenRequest[] = [];
  const identities = new Map<string, string>();

  const server: ScriptedServer = await startScriptedServer(async (request, response) => {
    const asked = await readAsked(request);
    const { proof, ...said } = asked;
    const caller = callerOf(asked, current, identities);
    const status = statusOf(asked, caller, current);
    const access = caller.isRefused ? [] : grantedOf(asked, caller.user, current);
    requests.push({ ...said, user: caller.user, status, granted: access.map(asScope) });

    if (current.instead !== undefined) {
      current.instead(asked, response);
      return;
    }
    if (status !== 200) {
      answer(response, status, { errors: [{ code: 'UNAUTHORIZED', message: 'who are you?' }] });
      return;
    }
    const { user = '' } = caller;
    const refreshToken = asked.isOffline && proof.kind === 'password' ? randomUUID() : undefined;
    if (refreshToken !== undefined) identities.set(refreshToken, user);
    answer(response, 200, { ...issue(user, access), ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }) });
  });

  function issue(subject: string, access: readonly GrantedAccess[]): object {
    const ttl = current.ttlSeconds ?? 300;
    const issuedAt = Math.floor(Date.now() / 1000) - (current.ageSeconds ?? 0);
    const token = signToken({ issuer, subject, audience: service, access, issuedAt, expiresAt: issuedAt + ttl }, signer.leaf);
    return {
      token,
      access_token: token,
      expires_in: ttl,
      issued_at: new Date(issuedAt * 1000).toISOString(),
      scope: access.map(asScope).join(' '),
    };
  }

  return {
    origin: server.origin,
    get auth() {
      return { realm: `${server.origin}/token`, service, issuer, certificates: signer.certificates };
    },
    requests,
    change: (changes) => {
      current = { ...current, ...changes };
    },
    rotateKey: () => {
      signer = newSigner();
    },
    stop: () => server.stop(),
  };
}

interface Signer {
  readonly leaf: IssuedCertificate;
  /** The signer's own certificate first: zot looks at no other. */
  readonly certificates: string;
}

function newSigner(): Signer {
  const authority = createAuthority();
  const leaf = authority.issue({ subject: issuer });
  return { leaf, certificates: leaf.cert + authority.ca };
}

interface Caller {
  readonly isRefused: boolean;
  readonly user: string | undefined;
}

function callerOf(
  { proof }: AskedForToken,
  { users = {}, identityTokens = {} }: TokenServerOptions,
  identities: ReadonlyMap<string, string>,
): Caller {
  if (proof.kind === 'none') return { isRefused: false, user: undefined };
  const user =
    proof.kind === 'password'
      ? [proof.username].find((name) => users[name] === proof.password)
      : (identityTokens[proof.token] ?? identities.get(proof.token));
  return { isRefused: user === undefined, user };
}

function statusOf({ method }: AskedForToken, caller: Caller, { methods = ['GET', 'POST'] }: TokenServerOptions): number {
  if (!methods.some((each) => each === method)) return 405;
  return caller.isRefused ? 401 : 200;
}

/** The part of what was asked for that is allowed: a reduced grant is no refusal. */
function grantedOf({ scopes }: AskedForToken, user: string | undefined, { allows = usersOnly }: TokenServerOptions): GrantedAccess[] {
  return scopes.flatMap((scope) => {
    const match = /^([^:]+):(.+):([^:]+)$/.exec(scope);
    if (match === null) return [];
    const [, type = '', name = '', asked = ''] = match;
    const actions = asked.split(',').filter((action) => allows(user, `${type}:${name}`, action));
    return actions.length === 0 ? [] : [{ type, name, actions }];
  });
}

function usersOnly(user: string | undefined): boolean {
  return user !== undefined;
}

function asScope({ type, name, actions }: GrantedAccess): string {
  return `${type}:${name}:${actions.join(',')}`;
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body));
}
