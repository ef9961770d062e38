import { type Digest, isReferrerLister, type ReferrerLister } from '@waybill/oci-model';

/** Makes a request about a subject, as the caller makes all of its requests. */
type Ask = (subject: Digest, call: (signal: AbortSignal) => Promise<ReadonlySet<Digest>>) => Promise<ReadonlySet<Digest>>;

/** What a store lists as referrers, asked once for each subject. */
export class ReferrerLists {
  readonly #lists = new Map<Digest, Promise<ReadonlySet<Digest>>>();

  constructor(
    private readonly store: object,
    private readonly ask: Ask,
  ) {}

  /** Does the store list `referrer`? True as well where it lists none at all. Rejects as `ask` does. */
  async names(referrer: Digest, subject: Digest): Promise<boolean> {
    if (!isReferrerLister(this.store)) return true;
    const list = this.#lists.get(subject) ?? this.#read(this.store, subject);
    this.#lists.set(subject, list);
    return (await list).has(referrer);
  }

  #read(store: ReferrerLister, subject: Digest): Promise<ReadonlySet<Digest>> {
    return this.ask(subject, async (signal) => {
      const listed = new Set<Digest>();
      for await (const { digest } of store.listReferrers(subject, signal)) listed.add(digest);
      return listed;
    });
  }
}
