import { probeBlob } from '../blobs.js';
import { discard } from '../body.js';
import type { RepositoryScope } from '../scope.js';
import { ask, declined, type Probe } from './probe.js';
import { ProbeFailure } from './probe-failure.js';
import { beginUpload, cancelUpload, uploadAddress } from './upload-address.js';

const operation = 'push blob';

/** distribution-spec v1.1.1, "Pushing a blob in chunks": two of them, then the closing PUT. */
export const chunkedUpload: Probe = {
  name: 'chunkedUpload',
  after: ['write'],
  writes: true,
  async look({ one, content }, signal) {
    const { chunked } = content;
    const { address, leastChunk } = await beginUpload(one, signal);
    if (leastChunk > chunked.half) {
      await cancelUpload(one, address);
      return { capabilities: { chunkedUpload: true }, note: `it asks for chunks of at least ${leastChunk} bytes; none was sent` };
    }
    const upload = new ChunkedUpload(one, address, signal);
    try {
      const isTaken =
        (await upload.send(chunked.bytes.subarray(0, chunked.half), 0)) &&
        (await upload.send(chunked.bytes.subarray(chunked.half), chunked.half));
      if (!isTaken) {
        await upload.cancel();
        return { capabilities: { chunkedUpload: false } };
      }
      await upload.close(chunked.digest);
    } catch (error) {
      await upload.cancel();
      throw error;
    }
    if (await probeBlob(one, chunked, signal)) return { capabilities: { chunkedUpload: true } };
    throw new ProbeFailure('the registry took a blob in two chunks and does not give it back', { code: 'not-found', operation });
  },
};

class ChunkedUpload {
  readonly #scope: RepositoryScope;
  readonly #signal: AbortSignal;
  /** A right to write. */
  #address: URL;

  constructor(scope: RepositoryScope, address: URL, signal: AbortSignal) {
    this.#scope = scope;
    this.#address = address;
    this.#signal = signal;
  }

  /** False when the registry does not take chunks. */
  async send(bytes: Uint8Array, offset: number): Promise<boolean> {
    const headers = { 'content-type': 'application/octet-stream', 'content-range': `${offset}-${offset + bytes.byteLength - 1}` };
    const question = {
      method: 'PATCH',
      url: this.#address,
      operation,
      access: 'write',
      headers,
      body: bytes,
      signal: this.#signal,
    } as const;
    const answer = await ask(this.#scope, question);
    if (declined.has(answer.status)) {
      await discard(answer);
      return false;
    }
    if (answer.status !== 202 && answer.status !== 204) throw await this.#refusal(answer);
    this.#address = await uploadAddress(this.#scope, answer);
    return true;
  }

  async close(digest: string): Promise<void> {
    const url = new URL(this.#address);
    url.search += `${url.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`;
    const answer = await ask(this.#scope, { method: 'PUT', url, operation, access: 'write', body: Buffer.alloc(0), signal: this.#signal });
    if (answer.status !== 201) throw await this.#refusal(answer);
    await discard(answer);
  }

  async cancel(): Promise<void> {
    await cancelUpload(this.#scope, this.#address);
  }

  async #refusal(answer: Awaited<ReturnType<typeof ask>>): Promise<Error> {
    const { connection, name } = this.#scope;
    return await connection.refusal(answer, { operation, repository: name });
  }
}
