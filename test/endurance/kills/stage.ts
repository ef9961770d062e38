import { uuidV7 } from '@waybill/kernel';
import { parseTag, type RepositoryName } from '@waybill/oci-model';
import { Database, Pauses, PromotionControl, ProvenanceChain, TopologyRevisions } from '@waybill/persistence';
import { verifyChain } from '@waybill/provenance';
import {
  type BuiltContent,
  controlQueueRole,
  createMigratedDatabase,
  pushBuilt,
  type RunningRegistry,
  type TestDatabase,
  until,
} from '@waybill/testing';
import type { Topology } from '@waybill/topology';
import type { FaultProxy, ProxiedRequest } from '../../e2e/fault-proxy.js';
import { countsOf, type TargetCounts } from './counts.js';
import { heldBelow, repositoryFiles } from './held.js';
import { app, applyFirst, former, later, type RegistryName, registryNames, requestPromotion, tool, topologyOf } from './promotion.js';
import { rowsOf } from './rows.js';
import type { Scene } from './scene.js';
import type { Environment } from '../source-process.js';
import type { Lane, QueueKind, SharedRegistries } from './world.js';

/** The shortest that the configuration takes, because takeover is what most cases wait for. */
const leaseMs = 5_000;
const chainPage = 500;
/** How long a worker may take to come to its failpoint, and another one to finish; milliseconds. */
export const patienceMs = 180_000;

export interface StageOptions {
  /** Names the case's repositories. */
  readonly folder: string;
  readonly queue: QueueKind;
  readonly scene: Scene;
  readonly registries: SharedRegistries;
  readonly lane: Lane;
}

/** What is left when a promotion is over. */
export interface Remains {
  /** Rows, and what registries hold; one line each. */
  readonly lines: readonly string[];
  readonly counts: readonly TargetCounts[];
  /** Upload sessions that are open. */
  readonly uploads: readonly string[];
}

/** Everything that outlives the workers of one case: a database with a promotion in it, a queue, registries. */
export class Stage {
  readonly leaseMs = leaseMs;
  readonly ciProxy: FaultProxy;
  readonly prodProxy: FaultProxy;
  readonly database: Database;
  readonly #options: StageOptions;
  readonly #server: TestDatabase;
  readonly #topology: Topology;
  readonly #homes: Readonly<Record<RegistryName, RunningRegistry>>;
  #principalId = '';
  #promotionId = '';

  private constructor(options: StageOptions, server: TestDatabase) {
    const { lane, registries, folder } = options;
    this.#options = options;
    this.#server = server;
    this.database = new Database(server.url, { maxConnections: 2 });
    this.ciProxy = lane.ciProxy;
    this.prodProxy = lane.prodProxy;
    this.#homes = { ci: registries.ci, staging: registries.ci, prod: registries.prod, 'prod-us': registries.replica };
    this.#topology = topologyOf(folder, { ci: this.ciProxy.url, prod: this.prodProxy.url, replica: lane.replicaProxy.url });
  }

  /** Fills the registries, requests the promotion and does what the scene does before any worker. */
  static async set(options: StageOptions): Promise<Stage> {
    const stage = new Stage(options, await createMigratedDatabase());
    try {
      await stage.#fill();
      await options.scene.prepare(stage);
      return stage;
    } catch (error) {
      await stage.clear();
      throw error;
    }
  }

  async clear(): Promise<void> {
    await this.database.close();
    await this.#server.drop();
    await this.#options.lane.redis.flush();
  }

  /** For a worker on this stage. */
  get environment(): Environment {
    const { queue, lane } = this.#options;
    return {
      DATABASE_URL: this.#server.url,
      ...(queue === 'redis' ? { REDIS_URL: lane.redis.url } : { WAYBILL_QUEUE_DATABASE_URL: this.#server.queueUrl }),
      WAYBILL_WORKER_DISPATCH_LEASE_MS: String(leaseMs),
      WAYBILL_LOG_LEVEL: 'warn',
      WAYBILL_WORKER_RETRY_BASE_MS: '50',
      WAYBILL_WORKER_RETRY_MAX_MS: '200',
      // Lost leases count as attempts, and a busy machine may lose some.
      WAYBILL_WORKER_RETRY_MAX_ATTEMPTS: '20',
      WAYBILL_WORKER_DRAIN_MS: '0',
    };
  }

  isOfCase({ url }: ProxiedRequest): boolean {
    return url.includes(`/${this.#options.folder}/`);
  }

  /** The tool's source tag names another image from now on. */
  async moveSourceTag(): Promise<void> {
    await this.#push('ci', tool.repository, later, '1.0.0');
  }

  /** A new revision has no path any more. */
  async removePath(): Promise<void> {
    await new TopologyRevisions(this.database).apply({ ...this.#topology, paths: {} }, 'source', this.#principalId);
  }

  /** A new revision calls another registry `prod`. */
  async replaceProd(): Promise<void> {
    const { registries } = this.#topology;
    const prod = { ...registries['prod']!, url: this.#options.registries.replica.url };
    await new TopologyRevisions(this.database).apply(
      { ...this.#topology, registries: { ...registries, prod } },
      'source',
      this.#principalId,
    );
  }

  /** Pauses everything; gives the pause's id. */
  async pause(): Promise<string> {
    const id = uuidV7.next();
    await this.database.tables.pause.create({ data: { id, scope: 'global', reason: 'a freeze', pausedBy: this.#principalId } });
    return id;
  }

  async resume(pause: string): Promise<void> {
    await new Pauses(this.database).resume(pause, { by: this.#principalId });
  }

  async cancel(): Promise<void> {
    await new PromotionControl(this.database).cancel(this.#promotionId, { by: this.#principalId });
  }

  /** Takes away every job that the queue holds. */
  emptyQueue(): Promise<void> {
    const { queue, lane } = this.#options;
    if (queue === 'redis') return lane.redis.flush();
    const role = controlQueueRole(this.#server);
    return role.empty().finally(() => role.close());
  }

  /** Resolves once a pause holds a target. */
  async untilHeld(): Promise<void> {
    await this.until(
      'a target is held',
      async () => (await this.database.tables.itemTarget.count({ where: { heldBy: { not: null } } })) > 0,
    );
  }

  /** Resolves once something is so, e.g. of rows. */
  async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    await until(what, isSo, patienceMs);
  }

  /** Whether nothing is left to be done by anybody. */
  async isOver(): Promise<boolean> {
    const [row] = await this.database.tables.$queryRaw<{ open: boolean }[]>`
      SELECT EXISTS (SELECT 1 FROM promotion WHERE finished_at IS NULL)
        OR EXISTS (SELECT 1 FROM item_target WHERE state <> 'done')
        OR EXISTS (SELECT 1 FROM dispatch WHERE state <> 'finished')
        OR EXISTS (SELECT 1 FROM effect WHERE state = 'intended') OR EXISTS (SELECT 1 FROM tag_order WHERE lease_expires_at IS NOT NULL)
        OR EXISTS (SELECT 1 FROM outbox) OR EXISTS (SELECT 1 FROM provenance_unchained) AS open`;
    return row?.open === false;
  }

  async uploads(): Promise<string[]> {
    return (await this.#held()).flatMap(({ name, uploads }) => uploads.map((upload) => `${name}/${upload}`));
  }

  /** Resolves when registries have done what they were told by workers that are gone. */
  async writesDone(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.writesDone()));
  }

  /** Whether its registry was told that nobody goes on with this upload: Distribution 2.8 keeps a session whose request broke off all the same. */
  wasGivenUp(upload: string): boolean {
    const session = upload.slice(upload.lastIndexOf('/') + 1);
    return this.#proxies.some(({ requests }) => requests.some(({ method, url }) => method === 'DELETE' && url.includes(session)));
  }

  /** Names of the files in which a registry keeps a repository. */
  filesOf(name: RegistryName, repository: RepositoryName): Promise<string[]> {
    return repositoryFiles(this.#homes[name].dataDir, `${this.#options.folder}/${name}/${repository}`);
  }

  async remains(): Promise<Remains> {
    const held = await this.#held();
    return {
      lines: [
        ...held.flatMap(({ name, lines }) => lines.map((line) => `at ${name}: ${line}`)),
        ...(await rowsOf(this.database)),
        `the chain is ${(await this.#isChainIntact()) ? 'intact' : 'BROKEN'}`,
      ],
      counts: await countsOf(this.database),
      uploads: held.flatMap(({ name, uploads }) => uploads.map((upload) => `${name}/${upload}`)),
    };
  }

  async #fill(): Promise<void> {
    await this.#push('ci', app.repository, app.built, '1.0.0');
    await this.#push('ci', tool.repository, tool.built, '1.0.0');
    await this.#push('staging', app.repository, former, 'latest');
    await this.#push('prod', app.repository, former, 'latest');
    this.#principalId = await applyFirst(this.database, this.#topology);
    this.#promotionId = await requestPromotion(this.database, this.#principalId);
  }

  async #push(name: RegistryName, repository: RepositoryName, built: BuiltContent, tag: string): Promise<void> {
    const client = this.#options.registries.clientOf(this.#homes[name]);
    const store = client.repository(`${this.#options.folder}/${name}/${repository}` as RepositoryName);
    await pushBuilt(store, built);
    await store.putTag(parseTag(tag), built.manifest);
  }

  get #proxies(): readonly FaultProxy[] {
    const { ciProxy, prodProxy, replicaProxy } = this.#options.lane;
    return [ciProxy, prodProxy, replicaProxy];
  }

  #held() {
    return Promise.all(
      registryNames.map(async (name) => ({
        name,
        ...(await heldBelow(this.#homes[name].dataDir, `${this.#options.folder}/${name}`)),
      })),
    );
  }

  async #isChainIntact(): Promise<boolean> {
    const linked = await new ProvenanceChain(this.database).links({ after: 0n, limit: chainPage });
    return verifyChain(linked.flatMap(({ record, link }) => (link === undefined ? [] : [{ record, link }]))).intact;
  }
}
