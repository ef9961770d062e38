import type { BlobUpload, Digest } from '@waybill/oci-model';
import { discard } from './body.js';
import type { RepositoryScope } from './scope.js';
import type { Answer } from './exchange.js';

/** An open upload. Its address is a right to write, so it shows in no log, error or JSON. */
export class UploadSession implements BlobUpload {
  readonly #scope: RepositoryScope;
  /** `OCI-Chunk-Min-Length`: what each chunk but the last must have, in bytes; 0 where the registry does not say. */
  readonly leastChunkBytes: number;
  #location: URL;
  #over = false;

  private constructor(scope: RepositoryScope, begin: { readonly location: URL; readonly leastChunkBytes: number }) {
    this.#scope = scope;
    this.#location = begin.location;
    this.leastChunkBytes = begin.leastChunkBytes;
  }

  /** Takes the session out of a 202; rejects with `protocol` when the answer names none. */
  static async from(answer: Answer, scope: RepositoryScope, operation: string): Promise<UploadSession> {
    await discard(answer);
    const location = scope.connection.link(answer.headers.location, answer.url, operation);
    const [least = ''] = [answer.headers['oci-chunk-min-length'] ?? []].flat();
    return new UploadSession(scope, { location, leastChunkBytes: /^\d{1,15}$/.test(least) ? Number(least) : 0 });
  }

  belongsTo(scope: RepositoryScope): boolean {
    return this.#scope.connection === scope.connection && this.#scope.path === scope.path;
  }

  /** Where chunks go, and where the registry says how far it is. */
  get address(): URL {
    return this.#location;
  }

  /**
   * Every chunk can give the session a new address, and the one before is of no use then.
   * @throws RegistryError `protocol` when the answer names none
   */
  moveTo(answer: Answer, operation: string): void {
    this.#location = this.#scope.connection.link(answer.headers.location, answer.url, operation);
  }

  /** Where the blob is completed. The query is kept as it came: it may be signed. */
  addressFor(digest: Digest): URL {
    const address = new URL(this.#location);
    address.search += `${address.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`;
    return address;
  }

  /** The registry has committed the blob; there is nothing to cancel any more. */
  committed(): void {
    this.#over = true;
  }

  /**
   * distribution-spec v1.1.1 knows no cancel by name; DELETE on the session is what all offer.
   * Distribution 2.8.2 takes it only while no byte has come: a request that broke midway leaves an offset
   * that the session's address does not know, and the registry's own purging removes the rest.
   */
  async cancel(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    const { connection, name } = this.#scope;
    try {
      await discard(
        await connection.send({
          method: 'DELETE',
          url: this.#location,
          kind: 'upload',
          operation: 'cancel upload',
          repository: name,
          access: 'write',
          signal: AbortSignal.timeout(connection.timeouts.cancelMs),
        }),
      );
    } catch {
      // The session dies by itself in time, and whoever cancels has a better error to report.
    }
  }
}
