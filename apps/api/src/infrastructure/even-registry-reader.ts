import type { RepositoryName } from '@waybill/oci-model';
import type { RegistryReader, RepositoryReader } from '@waybill/promotion';
import { BoundedRegistryReader } from './bounded-registry-reader.js';

/** Reads each registry a few questions at a time: one that hangs keeps nobody waiting who asks another. */
export class EvenRegistryReader implements RegistryReader {
  readonly #reader: RegistryReader;
  readonly #perRegistry: number;
  readonly #bounded = new Map<string, BoundedRegistryReader>();

  constructor(reader: RegistryReader, perRegistry: number) {
    this.#reader = reader;
    this.#perRegistry = perRegistry;
  }

  repository(registry: string, repository: RepositoryName): RepositoryReader {
    const bounded = this.#bounded.get(registry) ?? new BoundedRegistryReader(this.#reader, this.#perRegistry);
    this.#bounded.set(registry, bounded);
    return bounded.repository(registry, repository);
  }

  repositories(registry: string, signal: AbortSignal): AsyncIterable<RepositoryName> {
    return this.#reader.repositories(registry, signal);
  }

  shareOrigin(one: string, other: string): boolean {
    return this.#reader.shareOrigin(one, other);
  }
}
