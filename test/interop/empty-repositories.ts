import { parseRepositoryName } from '@waybill/oci-model';
import type { RegistryClient } from '@waybill/oci-registry';
import type { ContentStoreFixture } from '@waybill/testing';
import { type Admission, type ClientOptions, clientOf, type RegistryKind, type StartedRegistry } from './registries.js';

/** A way to come to a kind of registry. */
export interface Variant {
  readonly title: string;
  readonly admission: Admission;
  readonly options: ClientOptions;
}

interface Opened {
  readonly registry: StartedRegistry;
  readonly client: RegistryClient;
}

/** Repositories that nothing was ever pushed to: of one registry, or of one for each where they share their blobs. */
export class EmptyRepositories {
  #shared: Promise<Opened> | undefined;
  #made = 0;

  constructor(
    private readonly kind: RegistryKind,
    private readonly variant: Variant,
  ) {}

  async next(): Promise<ContentStoreFixture> {
    if (this.kind.sharesBlobs === true) {
      const own = await this.#open();
      return this.#fixtureAt(own, () => end(own));
    }
    this.#shared ??= this.#open();
    return this.#fixtureAt(await this.#shared, async () => undefined);
  }

  async close(): Promise<void> {
    if (this.#shared !== undefined) await end(await this.#shared);
  }

  async #open(): Promise<Opened> {
    const registry = await this.kind.start(this.variant.admission);
    return { registry, client: clientOf(registry, this.variant.options) };
  }

  #fixtureAt({ client }: Opened, dispose: () => Promise<void>): ContentStoreFixture {
    this.#made += 1;
    const name = parseRepositoryName(`contract/test-${this.#made}`);
    const sibling = parseRepositoryName(`${name}/sibling`);
    return { store: client.repository(name), sibling: { name: sibling, store: client.repository(sibling) }, dispose };
  }
}

async function end({ client, registry }: Opened): Promise<void> {
  client.close();
  await registry.stop();
}
