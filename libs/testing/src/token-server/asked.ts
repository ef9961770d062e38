import type { IncomingMessage } from 'node:http';

/** What a client asked a token server for. */
export interface AskedForToken {
  readonly method: string;
  readonly service: string | undefined;
  /** One text for each scope, however they were sent. */
  readonly scopes: readonly string[];
  /** How the client said who it is. */
  readonly proof: Proof;
  /** Does it want a refresh token too? */
  readonly isOffline: boolean;
}

export type Proof =
  | { readonly kind: 'none' }
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'refresh-token'; readonly token: string };

/** Reads a request by GET (Distribution's token specification) or by POST (its OAuth2 variant). */
export async function readAsked(request: IncomingMessage): Promise<AskedForToken> {
  const { method = '', url = '' } = request;
  const params = method === 'POST' ? new URLSearchParams(await bodyOf(request)) : new URL(url, 'http://localhost').searchParams;
  return {
    method,
    service: params.get('service') ?? undefined,
    scopes: params.getAll('scope').flatMap((text) => text.split(' ').filter((scope) => scope !== '')),
    proof: method === 'POST' ? proofIn(params) : basicOf(request.headers.authorization),
    isOffline: params.get('access_type') === 'offline' || params.get('offline_token') === 'true',
  };
}

function proofIn(params: URLSearchParams): Proof {
  switch (params.get('grant_type')) {
    case 'password':
      return { kind: 'password', username: params.get('username') ?? '', password: params.get('password') ?? '' };
    case 'refresh_token':
      return { kind: 'refresh-token', token: params.get('refresh_token') ?? '' };
    default:
      return { kind: 'none' };
  }
}

function basicOf(header: string | undefined): Proof {
  const encoded = /^Basic (.+)$/.exec(header ?? '')?.[1];
  if (encoded === undefined) return { kind: 'none' };
  const [username = '', ...password] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return { kind: 'password', username, password: password.join(':') };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
