import type { IncomingMessage, ServerResponse } from 'node:http';
import { buildImage, type SeenRequest } from '@waybill/testing';
import type { RegistryClientOptions } from '../options.js';
import { basicCredentials, staticCredentials } from './static-credentials.js';

export const { manifest } = buildImage();

/** A user that may do everything. */
export const anna = { credentials: { write: basicCredentials('anna', 'open sesame') } };
export const basicAnna = `Basic ${Buffer.from('anna:open sesame').toString('base64')}`;

export function identity(token: string): Partial<RegistryClientOptions> {
  return { credentials: { write: staticCredentials({ kind: 'identity-token', token }) } };
}

/** Answers as a registry that has what was asked for. */
export function hasTag(_request: IncomingMessage, response: ServerResponse): unknown {
  return response.writeHead(200, { 'docker-content-digest': manifest.digest }).end();
}

/** Answers as a token server. */
export function giveToken(response: ServerResponse, token: string): unknown {
  return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ token }));
}

export function isForToken({ url }: Pick<SeenRequest, 'url'>): boolean {
  return url.startsWith('/token');
}

export function queryOf(request: SeenRequest | undefined): readonly (readonly [string, string])[] {
  return [...new URL(request?.url ?? '', 'http://localhost').searchParams];
}

/** One text for each request for a token. */
export function scopesAsked(requests: readonly SeenRequest[]): readonly string[] {
  return requests.filter(isForToken).map((request) => new URL(request.url, 'http://localhost').searchParams.getAll('scope').join(' '));
}
