import { type Hash, randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type Digest, hasherFor, hexOf, type RepositoryName } from '@waybill/oci-model';
import { Refusal } from './refusal.js';
import type { StagingArea } from './storage/storage.js';

/** An upload session. It lives in this process only; its bytes are staged under its id until they are committed. */
export interface Upload {
  readonly id: string;
  readonly repository: RepositoryName;
  /** Bytes received by finished requests. */
  size: number;
  busy: boolean;
  lastUsed: number;
}

export interface UploadLimits {
  readonly maxSessions: number;
  readonly maxBlobBytes: number;
  readonly idleMs: number;
}

/**
 * Open upload sessions. A request that breaks midway leaves no trace: the bytes of a chunk
 * are taken back.
 */
export class Uploads {
  readonly #staging: StagingArea;
  readonly #limits: UploadLimits;
  readonly #open = new Map<string, Upload>();

  constructor(staging: StagingArea, limits: UploadLimits) {
    this.#staging = staging;
    this.#limits = limits;
  }

  /** @throws Refusal `TOOMANYREQUESTS` */
  async start(repository: RepositoryName): Promise<Upload> {
    await this.#dropIdle();
    if (this.#open.size >= this.#limits.maxSessions) {
      throw new Refusal('TOOMANYREQUESTS', `${this.#open.size} uploads are open, finish or cancel one`, {
        headers: { 'retry-after': '1' },
      });
    }
    const id = randomUUID();
    const upload: Upload = { id, repository, size: 0, busy: false, lastUsed: performance.now() };
    this.#open.set(id, upload);
    return upload;
  }

  /** @throws Refusal `BLOB_UPLOAD_UNKNOWN` */
  find(repository: RepositoryName, id: string): Upload {
    const upload = this.#open.get(id);
    if (upload?.repository === repository) return upload;
    throw new Refusal('BLOB_UPLOAD_UNKNOWN', 'there is no such upload session');
  }

  async discard(upload: Upload): Promise<void> {
    this.#open.delete(upload.id);
    await this.#staging.remove(upload.id);
  }

  /** Runs `work` as the only request of the session. */
  async exclusively<T>(upload: Upload, work: () => Promise<T>): Promise<T> {
    if (upload.busy) throw new Refusal('BLOB_UPLOAD_INVALID', 'another request uses this upload session', { status: 409 });
    upload.busy = true;
    try {
      return await work();
    } finally {
      upload.busy = false;
      upload.lastUsed = performance.now();
    }
  }

  /** Appends a chunk; when it breaks midway the session is as it was before. */
  async append(upload: Upload, content: Readable): Promise<void> {
    const before = upload.size;
    try {
      upload.size = before + (await this.#write(upload, content));
    } catch (error) {
      if (before === 0) await this.#staging.remove(upload.id);
      else await this.#staging.truncate(upload.id, before);
      throw error;
    }
  }

  /**
   * Takes the last bytes and makes sure that everything received hashes to `digest`.
   * What is staged is synced and left for the caller to commit; the session must be discarded either way.
   * @throws Refusal `DIGEST_INVALID`, `SIZE_INVALID`
   */
  async finish(upload: Upload, content: Readable, digest: Digest): Promise<void> {
    const hash = hasherFor(digest);
    for await (const chunk of upload.size > 0 ? this.#staging.read(upload.id) : []) hash.update(chunk);
    upload.size += await this.#write(upload, content, hash);
    const actual = hash.digest('hex');
    if (actual === hexOf(digest)) return;
    throw new Refusal('DIGEST_INVALID', 'the content does not hash to the digest given', { details: [{ digest, actual }] });
  }

  async #write(upload: Upload, content: Readable, hash?: Hash): Promise<number> {
    const staged = await this.#staging.append(upload.id);
    try {
      let bytes = 0;
      // The request must survive a refusal, or the client would never read why.
      for await (const chunk of content.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        bytes += chunk.byteLength;
        if (upload.size + bytes > this.#limits.maxBlobBytes) {
          throw new Refusal('SIZE_INVALID', `blobs of more than ${this.#limits.maxBlobBytes} bytes are not taken`, { status: 413 });
        }
        hash?.update(chunk);
        await staged.write(chunk);
      }
      if (hash !== undefined) await staged.sync();
      return bytes;
    } finally {
      await staged.close();
    }
  }

  async #dropIdle(): Promise<void> {
    const oldest = performance.now() - this.#limits.idleMs;
    for (const upload of this.#open.values()) {
      if (!upload.busy && upload.lastUsed < oldest) await this.discard(upload);
    }
  }
}
