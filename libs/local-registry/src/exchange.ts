import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { RepositoryLocks } from './repository-locks.js';
import type { Storage } from './storage/storage.js';
import type { Uploads } from './uploads.js';

/** What a registry consists of besides its address. */
export interface RegistryParts {
  readonly storage: Storage;
  readonly uploads: Uploads;
  readonly locks: RepositoryLocks;
}

/** One request, with what is needed to work on it. */
export interface Exchange extends RegistryParts {
  readonly request: IncomingMessage;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The request's body. It errors when the client breaks off. */
  readonly body: Readable;
}
