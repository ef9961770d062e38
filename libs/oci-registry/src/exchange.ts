import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { RepositoryName } from '@waybill/oci-model';
import type { Agents, Lane } from './agents.js';
import type { RequestEvent, RequestKind, Timeouts } from './options.js';
import type { Redactor } from './redact.js';
import { RegistryError } from './registry-error.js';
import type { UploadBody } from './upload-body.js';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One request over the wire: no redirect is followed, no status judged. */
export interface Exchange {
  readonly method: Method;
  readonly url: URL;
  readonly kind: RequestKind;
  /** For errors, e.g. `push manifest`. */
  readonly operation: string;
  readonly repository?: RepositoryName | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | UploadBody | undefined;
  readonly lane?: Lane;
  readonly signal?: AbortSignal | undefined;
}

/** The head of an answer. Whoever gets it reads `body` to its end or destroys it. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Errors are RegistryErrors or Node's own; `errorOfNetwork` makes the first of the second. */
  readonly body: Readable;
  readonly url: URL;
  /** It was asked without credentials, because there are none. Told of what the registry itself answered. */
  readonly isAnonymous?: boolean;
}

export interface TransportSettings {
  readonly origin: URL;
  readonly agents: Agents;
  readonly timeouts: Timeouts;
  readonly redactor: Redactor;
  readonly userAgent: string;
  readonly observe: (event: RequestEvent) => void;
}

export function abortedError(host: string, exchange: Pick<Exchange, 'operation' | 'signal'>): RegistryError {
  const cause: unknown = exchange.signal?.reason;
  return new RegistryError(`${exchange.operation} was aborted`, {
    code: 'aborted',
    operation: exchange.operation,
    host,
    ...(cause instanceof Error ? { cause } : {}),
  });
}
