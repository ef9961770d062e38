import type { CrawlKind } from '@waybill/inventory';
import type { Digest, Tag } from '@waybill/oci-model';
import { CrawlLeases, CrawlSchedules, RegistryChecks, TopologyRevisions } from '@waybill/persistence';
import { RegistryClient } from '@waybill/oci-registry';
import { until } from '@waybill/testing';
import { type Topology, withProbedCapabilities } from '@waybill/topology';
import { type Logged, logged } from '../../infrastructure/logged.spec-helper.js';
import { RecordedPromotions, topologyAt } from '../../recorded-promotions.spec-helper.js';
import { crawledRegistries } from './crawled-registries.js';
import { CrawlInventory, type CrawlInventoryOptions } from './crawl-inventory.js';

const leaseMs = 60_000;

/** How a crawl ended. */
export interface EndedCrawl {
  readonly state: string;
  readonly kind: CrawlKind;
  readonly listed_from: string | null;
  readonly requests: Readonly<Record<string, number>>;
  readonly found: Readonly<Record<string, number>>;
  readonly problem: { readonly code: string; readonly message: string } | null;
}

/** A tag as the inventory has it. */
export interface SeenTag {
  readonly digest: Digest;
  readonly source: string;
  readonly isGone: boolean;
  readonly isMissing: boolean;
}

/** A database whose topology has the registry `ci` at an address, and workers that crawl it. */
export class CrawlScene {
  readonly log: Logged = logged();
  readonly #client: RegistryClient;
  #onRequest: (method: string) => void = () => undefined;

  private constructor(
    readonly recorded: RecordedPromotions,
    origin: string,
  ) {
    // Faults are answered once, so that requests can be counted.
    this.#client = new RegistryClient({ origin, retries: 0, observe: ({ method }) => this.#onRequest(method) });
  }

  static async open(url: string): Promise<CrawlScene> {
    const recorded = await RecordedPromotions.open(topologyAt({ ci: url }));
    const scene = new CrawlScene(recorded, url);
    await scene.declare(topologyAt({ ci: url }));
    return scene;
  }

  async close(): Promise<void> {
    this.#client.close();
    await this.recorded.close();
  }

  get schedules(): CrawlSchedules {
    return new CrawlSchedules(this.recorded.database);
  }

  async declare(topology: Topology): Promise<void> {
    await this.schedules.declare(crawledRegistries(topology));
  }

  worker(options: Partial<CrawlInventoryOptions> = {}): CrawlInventory {
    const { database } = this.recorded;
    const revisions = new TopologyRevisions(database);
    return new CrawlInventory({
      leases: new CrawlLeases(database, { leaseMs }),
      schedules: this.schedules,
      leaseMs,
      open: async ({ registry: name }, onRequest) => {
        const active = await revisions.active();
        if (active === undefined) return undefined;
        const topology = withProbedCapabilities(active.topology, await new RegistryChecks(database).knownCapabilities());
        const registry = topology.registries[name];
        if (registry === undefined) return undefined;
        this.#onRequest = onRequest;
        return { registry: this.#client, mayListReferrers: registry.capabilities?.referrersApi !== false };
      },
      locations: 'all',
      workerId: 'one',
      concurrency: 2,
      logger: this.log.logger,
      ...options,
    });
  }

  /** As if a check of `ci` had found out whether it lists referrers. */
  async checked(referrersApi: boolean): Promise<void> {
    const check = await this.recorded.requestCheck('ci');
    await this.recorded.database.tables.$executeRaw`
      UPDATE checked_registry SET state = 'finished', finished_at = now(), report = ${JSON.stringify({ capabilities: { referrersApi } })}::jsonb
      WHERE check_id = ${check}::uuid`;
  }

  /** Asks for a crawl of `ci`; gives its id. */
  async request(kind: CrawlKind): Promise<string> {
    const asked = await this.schedules.request({ registry: 'ci', kind, requestedBy: this.recorded.principalId });
    if (asked === undefined) throw new Error('ci is not crawled');
    return asked.id;
  }

  /** Crawls `ci` to the end. */
  async crawl(kind: CrawlKind): Promise<EndedCrawl> {
    const id = await this.request(kind);
    await this.worker().begin(() => undefined);
    return await this.ended(id);
  }

  async ended(id: string): Promise<EndedCrawl> {
    const finished = async (): Promise<EndedCrawl | undefined> => {
      const [row] = await this.recorded.database.tables.$queryRaw<EndedCrawl[]>`
        SELECT state, kind, listed_from, requests, found, problem FROM crawl WHERE id = ${id}::uuid AND finished_at IS NOT NULL`;
      return row;
    };
    await until('the crawl has ended', async () => (await finished()) !== undefined);
    const ended = await finished();
    if (ended === undefined) throw new Error('the crawl is gone');
    return ended;
  }

  /** Tags of a repository of `ci`, by name. */
  async tags(repository: string): Promise<Record<string, SeenTag>> {
    const rows = await this.recorded.database.tables.$queryRaw<(SeenTag & { readonly name: Tag })[]>`
      SELECT t.name, digest_text(t.digest) AS digest, t.tagged_at_source AS source, t.gone_at IS NOT NULL AS "isGone",
        t.missing_since IS NOT NULL AS "isMissing"
      FROM tag t JOIN repository r ON r.id = t.repository_id WHERE r.name = ${repository} ORDER BY t.name`;
    return Object.fromEntries(rows.map(({ name, ...tag }) => [name, tag]));
  }

  /** Names of the tags that are there. */
  async present(repository: string): Promise<string[]> {
    return Object.entries(await this.tags(repository)).flatMap(([name, { isGone }]) => (isGone ? [] : [name]));
  }

  /** The row of a repository of `ci`. */
  async repository(name: string) {
    return await this.recorded.database.tables.repository.findFirst({ where: { name, registry: { name: 'ci' } } });
  }

  /** Digests that are known to be in a repository of `ci` now. */
  async placed(repository: string): Promise<string[]> {
    const rows = await this.recorded.database.tables.$queryRaw<{ digest: string }[]>`
      SELECT digest_text(digest) AS digest FROM placement WHERE repository = ${repository} AND seen_until IS NULL ORDER BY digest`;
    return rows.map(({ digest }) => digest);
  }

  /** What was noted of a tag, oldest first: what it named before and since. */
  async events(repository: string, tag: string): Promise<(readonly [string | null, string | null, string])[]> {
    const rows = await this.recorded.database.tables.$queryRaw<{ before: string | null; after: string | null; source: string }[]>`
      SELECT digest_text(previous_digest) AS before, digest_text(digest) AS after, source FROM tag_event
      WHERE repository = ${repository} AND tag = ${tag} ORDER BY id`;
    return rows.map(({ before, after, source }) => [before, after, source]);
  }

  /** As if everything that was seen so far had been seen two hours earlier. */
  async passTime(): Promise<void> {
    await this.recorded.database.tables.$executeRaw`UPDATE repository SET suspect_since = suspect_since - interval '2 hours'`;
    await this.recorded.database.tables.$executeRaw`UPDATE tag SET missing_since = missing_since - interval '2 hours'`;
  }
}
