import type { ContentStore, Digest, RepositoryName } from '@waybill/oci-model';

/** One empty store, made for one test. */
export interface ContentStoreFixture {
  readonly store: ContentStore;
  /** Another repository of the same registry, by the name that `mountBlob` takes. */
  readonly sibling?: { readonly name: RepositoryName; readonly store: ContentStore };
  /** Changes a byte of stored content behind the store's back. */
  corrupt?(digest: Digest): Promise<void>;
  dispose(): Promise<void>;
}

/** What a kind of store legitimately lacks, or what its fixture can do. */
export interface ContentStoreFeatures {
  /** Refuses a manifest whose content is missing. Default true. */
  readonly refusesIncompleteManifests?: boolean;
  /** Is a BlobMounter, and its fixtures have a sibling; `refused` when each of its mounts is answered with a way to push. Default true. */
  readonly mounts?: boolean | 'refused';
  /** Is a ReferrerLister. Default true. */
  readonly listsReferrers?: boolean;
  /**
   * Is a ContentRemover whose deletion is on. Default true; else it is none, or says `unsupported`. `roughly` when it keeps
   * the tags of a manifest that it deletes, and cannot tell a blob that is not there from a failure.
   */
  readonly removes?: boolean | 'roughly';
  /** Its fixtures can `corrupt`. Default false. */
  readonly corrupts?: boolean;
}

/** Makes fixtures and disposes of them after each test, whatever became of it. */
export class Fixtures {
  readonly #factory: () => Promise<ContentStoreFixture>;
  readonly #open: ContentStoreFixture[] = [];

  constructor(factory: () => Promise<ContentStoreFixture>) {
    this.#factory = factory;
  }

  async make(): Promise<ContentStoreFixture> {
    const fixture = await this.#factory();
    this.#open.push(fixture);
    return fixture;
  }

  async store(): Promise<ContentStore> {
    return (await this.make()).store;
  }

  async dispose(): Promise<void> {
    for (const fixture of this.#open.splice(0)) await fixture.dispose();
  }
}
