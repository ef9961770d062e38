import type { ContentErrorCode, RegistryCapabilities, RepositoryName } from '@waybill/oci-model';
import type { CredentialProviders } from './auth/credentials.js';
import type { UploadMode } from './upload-policy.js';
import type { Pins, ProxyOptions, TlsOptions } from './network-options.js';

/** How long to wait for what, in milliseconds. Time spent waiting for a free connection never counts. */
export interface Timeouts {
  /** Until the connection stands, TLS included. */
  readonly connectMs: number;
  /** From the last byte of a request to the head of its answer. */
  readonly answerMs: number;
  /** The same for an upload's last request: registries on object stores copy the whole blob before they answer. */
  readonly commitMs: number;
  /** Without a byte moved while it is the registry's turn, or with less than 1 KiB in a second. */
  readonly idleMs: number;
  /** A whole exchange that carries no blob, so that nobody holds us by a byte a second. */
  readonly smallMs: number;
  /**
   * Telling the registry that an upload was given up; and before that, where one is about to be opened, learning its name.
   * Both together well within what a stopping worker leaves to its jobs.
   */
  readonly cancelMs: number;
  /** How long after a referrers tag was written it is looked at again: longer than any writer of it needs from reading to writing. */
  readonly settleMs: number;
}

export const defaultTimeouts: Timeouts = {
  connectMs: 10_000,
  answerMs: 30_000,
  commitMs: 300_000,
  idleMs: 20_000,
  smallMs: 60_000,
  cancelMs: 1_500,
  settleMs: 1_000,
};

export interface RegistryClientOptions {
  /** `https://host[:port]` or `http://…`, without a path. */
  readonly origin: string;
  /** Stands before every repository's name at the registry. */
  readonly prefix?: RepositoryName;
  /** Sent to the registry's own origin and its declared token realms, and never logged. */
  readonly credentials?: CredentialProviders;
  /**
   * Token servers that the registry's credentials may go to beside its own origin and the known ones of
   * vendors: an origin, `https://auth.example.com`, or one address of it, `https://example.com/jwt/auth`.
   */
  readonly tokenRealms?: readonly string[];
  readonly tls?: TlsOptions;
  /** None unless said: those of the environment are for whoever asks for them. */
  readonly proxy?: ProxyOptions;
  /** Addresses of host names that no resolver is asked for. */
  readonly resolve?: Pins;
  readonly timeouts?: Partial<Timeouts>;
  /** What is known of the registry; what is not said is unknown, and then the standard way is tried. */
  readonly capabilities?: Partial<RegistryCapabilities>;
  /**
   * How blobs are sent, default `monolithic`. A registry that refuses one for its size (413) gets `chunked` from then on,
   * and the refused push rejects as retryable, since its content has to be read again.
   */
  readonly uploads?: UploadMode;
  /** Bytes of a chunk, default 8 MiB; more when the registry asks for it. Every chunked upload holds one in memory. */
  readonly chunkBytes?: number;
  /** Most connections to one host at a time, default 16. */
  readonly connections?: number;
  /** How often a small read is tried again after a retryable error, default 2. */
  readonly retries?: number;
  /** What we call ourselves; `waybill` unless said. */
  readonly userAgent?: string;
  /** Told about every request when it is over. Must not throw. */
  readonly observe?: (event: RequestEvent) => void;
}

export type RequestKind =
  'ping' | 'manifest' | 'tag' | 'tags' | 'catalog' | 'referrers' | 'blob' | 'probe' | 'upload' | 'mount' | 'delete' | 'check' | 'token';

/** One request and its end. Holds neither address nor header: both can be secrets. */
export interface RequestEvent {
  readonly method: string;
  readonly kind: RequestKind;
  /** The logical name, without the prefix. */
  readonly repository: RepositoryName | undefined;
  /** Absent when no answer came. */
  readonly status?: number;
  /** Bytes of the body. */
  readonly sentBytes: number;
  /** Bytes of the answer's body. */
  readonly receivedBytes: number;
  /** From asking for a connection to the end of the answer's body. */
  readonly ms: number;
  /** Why the exchange broke; an answer with an error status is not broken. */
  readonly error?: ContentErrorCode;
}
