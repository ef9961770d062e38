import type { NotificationFeeds, TopologyRevisions } from '@waybill/persistence';
import { heardRegistries } from '@waybill/topology';

/** Makes the database expect of registries what the topology says that they tell. */
export class DeclareFeeds {
  readonly #feeds: Pick<NotificationFeeds, 'declare'>;
  readonly #revisions: Pick<TopologyRevisions, 'active'>;

  constructor(feeds: Pick<NotificationFeeds, 'declare'>, revisions: Pick<TopologyRevisions, 'active'>) {
    this.#feeds = feeds;
    this.#revisions = revisions;
  }

  /** Gives 0: it is not to be done again before the topology changes. */
  async declare(): Promise<0> {
    const active = await this.#revisions.active();
    if (active === undefined) return 0;
    const heard = heardRegistries(active.topology);
    await this.#feeds.declare(heard.map(({ registry: { name }, location, silenceMs }) => ({ name, location, silenceMs })));
    return 0;
  }
}
