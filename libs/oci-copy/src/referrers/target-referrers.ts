import { type Digest, isReferrerLister, type ReferrerLister } from '@waybill/oci-model';
import type { TargetRun } from '../target-run.js';
import type { Referrer } from './referrer.js';

/** What a target lists as referrers, asked once for each subject. */
export class TargetReferrers {
  readonly #lists = new Map<Digest, Promise<ReadonlySet<Digest>>>();

  constructor(private readonly run: TargetRun) {}

  /** Does the target list the referrer? True as well when it lists none at all, or has written the list in this run. Rejects with CopyError. */
  async has({ referrer, subject }: Pick<Referrer, 'referrer' | 'subject'>): Promise<boolean> {
    const { store } = this.run;
    if (!isReferrerLister(store) || this.run.outcomeOfManifest(referrer) === 'copied') return true;
    const list = this.#lists.get(subject) ?? this.#read(store, subject);
    this.#lists.set(subject, list);
    return (await list).has(referrer);
  }

  async #read(store: ReferrerLister, subject: Digest): Promise<ReadonlySet<Digest>> {
    return await this.run.request('list referrers', subject, async (signal) => {
      const listed = new Set<Digest>();
      for await (const { digest } of store.listReferrers(subject, signal)) listed.add(digest);
      return listed;
    });
  }
}
