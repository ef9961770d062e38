import { type Digest, isReferrerLister, type ReferrerLister } from '@waybill/oci-model';
import { CopyError } from '../copy-error.js';

/** Makes a request about a subject, as the caller makes all of its requests. */
type Ask = (subject: Digest, call: (signal: AbortSignal) => Promise<ReadonlySet<Digest>>) => Promise<ReadonlySet<Digest>>;

/** What a store lists as referrers, asked once for each subject. */
export class ReferrerLists {
  readonly #lists = new Map<Digest, Promise<ReadonlySet<Digest>>>();

  /** `most`: the longest list that is read. */
  constructor(
    private readonly store: object,
    private readonly most: number,
    private readonly ask: Ask,
  ) {}

  /**
   * Does the store list `referrer`? True as well where it lists none at all.
   * Rejects as `ask` does, and with CopyError `graph-too-large` at a list that is longer than `most`.
   */
  async names(referrer: Digest, subject: Digest): Promise<boolean> {
    if (!isReferrerLister(this.store)) return true;
    const list = this.#lists.get(subject) ?? this.#read(this.store, subject);
    this.#lists.set(subject, list);
    return (await list).has(referrer);
  }

  #read(store: ReferrerLister, subject: Digest): Promise<ReadonlySet<Digest>> {
    return this.ask(subject, async (signal) => {
      const listed = new Set<Digest>();
      let entries = 0;
      for await (const { digest } of store.listReferrers(subject, signal)) {
        entries += 1;
        if (entries > this.most) throw this.#tooLong(subject);
        listed.add(digest);
      }
      return listed;
    });
  }

  #tooLong(subject: Digest): CopyError {
    return new CopyError(`more than ${this.most} referrers of ${subject} are listed`, {
      code: 'graph-too-large',
      side: 'engine',
      operation: 'list referrers',
      digest: subject,
    });
  }
}
