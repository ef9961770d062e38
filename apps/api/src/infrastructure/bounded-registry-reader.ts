import type { RepositoryName } from '@waybill/oci-model';
import type { RegistryReader, RepositoryReader } from '@waybill/promotion';
import pLimit, { type LimitFunction } from 'p-limit';

/** Reads another reader a few questions at a time: what one request asks at once is bounded, however much it asks for. */
export class BoundedRegistryReader implements RegistryReader {
  readonly #reader: RegistryReader;
  readonly #limit: LimitFunction;

  constructor(reader: RegistryReader, concurrency: number) {
    this.#reader = reader;
    this.#limit = pLimit(concurrency);
  }

  repository(registry: string, repository: RepositoryName): RepositoryReader {
    const asked = this.#reader.repository(registry, repository);
    return {
      readManifest: (reference, signal) => this.#limit(() => asked.readManifest(reference, signal)),
      probeBlob: (blob, signal) => this.#limit(() => asked.probeBlob(blob, signal)),
      resolveTag: (tag, signal) => this.#limit(() => asked.resolveTag(tag, signal)),
      listTags: (signal) => asked.listTags(signal),
    };
  }

  repositories(registry: string, signal: AbortSignal): AsyncIterable<RepositoryName> {
    return this.#reader.repositories(registry, signal);
  }

  shareOrigin(one: string, other: string): boolean {
    return this.#reader.shareOrigin(one, other);
  }
}
