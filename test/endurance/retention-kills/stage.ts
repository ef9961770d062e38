import { setTimeout as delay } from 'node:timers/promises';
import { crawlRegistry } from '@waybill/inventory';
import { uuidV7 } from '@waybill/kernel';
import { type Digest, type Manifest, parseTag, type RepositoryName } from '@waybill/oci-model';
import { RegistryClient, type RepositoryClient } from '@waybill/oci-registry';
import {
  CrawlLeases,
  CrawlSchedules,
  Database,
  findPurgeable,
  findRestorable,
  IdempotencyKeys,
  ProvenanceChain,
  RetentionApprovals,
  RetentionLeases,
  RetentionRuns,
  RetentionTicks,
  TopologyRevisions,
  TrashRequests,
} from '@waybill/persistence';
import { verifyChain } from '@waybill/provenance';
import {
  type BuiltContent,
  createMigratedDatabase,
  pushArtifact,
  pushBuilt,
  type RunningRegistry,
  type TestDatabase,
} from '@waybill/testing';
import type { Topology } from '@waybill/topology';
import { PlanRun } from '../../../apps/worker/src/features/run-retention/plan-run.js';
import type { FaultProxy, ProxiedRequest } from '../../e2e/fault-proxy.js';
import { heldBelow } from '../kills/held.js';
import { applyFirst } from '../kills/promotion.js';
import type { Lane, QueueKind, SharedRegistries } from '../kills/world.js';
import type { Environment } from '../source-process.js';
import { app, policyName, type RegistryName, registryNames, tool, topologyOf } from './declared.js';
import { rowsOf } from './rows.js';
import type { Scene } from './scene.js';

/** The shortest that the configuration takes, because takeover is what most cases wait for. */
const leaseMs = 5_000;
const chainPage = 500;
const pollMs = 250;
/** How long a worker may take to come to its failpoint, and another one to finish; milliseconds. */
export const patienceMs = 600_000;

export interface StageOptions {
  /** Names the case's repositories. */
  readonly folder: string;
  readonly queue: QueueKind;
  readonly scene: Scene;
  readonly registries: SharedRegistries;
  readonly lane: Lane;
}

/** What is left when retention is over. */
export interface Remains {
  /** Rows, and what registries hold; one line each. */
  readonly lines: readonly string[];
  /** Upload sessions that are open. */
  readonly uploads: readonly string[];
}

/** Everything that outlives the workers of one case: a database whose policy may act and is due, registries, a queue. */
export class Stage {
  readonly leaseMs = leaseMs;
  readonly ciProxy: FaultProxy;
  readonly database: Database;
  readonly #options: StageOptions;
  readonly #server: TestDatabase;
  readonly #topology: Topology;
  readonly #homes: Readonly<Record<RegistryName, RunningRegistry>>;
  readonly #ci: RegistryClient;
  #principalId = '';

  private constructor(options: StageOptions, server: TestDatabase) {
    const { lane, registries, folder } = options;
    this.#options = options;
    this.#server = server;
    this.database = new Database(server.url, { maxConnections: 2 });
    this.ciProxy = lane.ciProxy;
    this.#homes = { ci: registries.ci, archive: registries.prod };
    this.#topology = topologyOf(folder, { ci: lane.ciProxy.url, archive: lane.prodProxy.url });
    this.#ci = new RegistryClient({ origin: registries.ci.url, prefix: this.#topology.registries['ci']!.prefix! });
  }

  /** Fills CI, lets the policy act, makes it due, and does what the scene does before any worker. */
  static async set(options: StageOptions): Promise<Stage> {
    const stage = new Stage(options, await createMigratedDatabase());
    try {
      await stage.#fill();
      await stage.#approve();
      await stage.push(tool.repository, tool.wanted, ['wanted']);
      await stage.database.tables.retentionSchedule.updateMany({ data: { nextDueAt: new Date() } });
      await options.scene.prepare(stage);
      return stage;
    } catch (error) {
      await stage.clear();
      throw error;
    }
  }

  async clear(): Promise<void> {
    this.#ci.close();
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
      WAYBILL_WORKER_DRAIN_MS: '2000',
    };
  }

  /** Whether a request at CI is one of a method in one repository, about `reference` where that is said; that it is of this case, too. */
  isAsked(method: string, repository: RepositoryName, reference = ''): (request: ProxiedRequest) => boolean {
    const path = `/v2/${this.#options.folder}/ci/${repository}/`;
    return (request) => request.method === method && request.url.startsWith(path) && request.url.endsWith(reference);
  }

  async push(repository: RepositoryName, content: BuiltContent, tags: readonly string[]): Promise<void> {
    const store = this.#ci.repository(repository);
    await pushBuilt(store, content);
    await tagAll(store, content.manifest, tags);
  }

  /** Has its run made; gives the run's id. */
  async takeTick(): Promise<string> {
    await new RetentionTicks(this.database).take();
    return (await this.database.tables.retentionRun.findFirstOrThrow({ where: { trigger: 'schedule' } })).id;
  }

  /** Another registry is called `ci` from now on. */
  async replaceCi(): Promise<void> {
    const { registries } = this.#topology;
    const ci = { ...registries['ci']!, url: this.#options.registries.replica.url };
    await new TopologyRevisions(this.database).apply({ ...this.#topology, registries: { ...registries, ci } }, 'source', this.#principalId);
  }

  /** Somebody wants what the run has not deleted yet to stay. */
  async cancel(): Promise<void> {
    const run = await this.database.tables.retentionRun.findFirstOrThrow({ where: { finishedAt: null } });
    await new RetentionRuns(this.database).cancel(run.id, { by: this.#principalId, reason: 'the scene wants it' });
  }

  /** Asks that what was deleted of the app comes back. */
  async restore(): Promise<void> {
    const asked = { registry: 'ci', repository: app.repository };
    const request = { id: uuidV7.next(), asked, by: this.#principalId, reason: 'the scene wants it' };
    await new TrashRequests(this.database).create('restore', request, { ...(await this.#claim()), find: findRestorable });
  }

  /** Asks that one manifest goes for good, from the repository and its trash. */
  async purge(digest: Digest): Promise<void> {
    const request = { id: uuidV7.next(), asked: { registry: 'ci', digest }, by: this.#principalId, reason: 'the scene wants it' };
    await new TrashRequests(this.database).create('purge', request, { ...(await this.#claim()), find: findPurgeable });
  }

  /** Resolves once something is so, e.g. of rows; until then whoever waits for its next round begins it. */
  async until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + patienceMs;
    while (!(await isSo())) {
      if (performance.now() > deadline) throw new Error(`waited ${patienceMs} ms in vain until ${what}`);
      await this.database.tables.$queryRaw`SELECT pg_notify('waybill_retention', '')::text`;
      await delay(pollMs);
    }
  }

  async untilRunOver(): Promise<void> {
    const where = { trigger: 'schedule', finishedAt: { not: null } };
    await this.until('the run is over', async () => (await this.database.tables.retentionRun.count({ where })) > 0);
  }

  /** Whether nothing is left to be done by anybody. */
  async isOver(): Promise<boolean> {
    const [row] = await this.database.tables.$queryRaw<{ open: boolean }[]>`
      SELECT NOT EXISTS (SELECT 1 FROM retention_run WHERE trigger = 'schedule')
        OR EXISTS (SELECT 1 FROM retention_run WHERE finished_at IS NULL)
        OR EXISTS (SELECT 1 FROM retention_request WHERE finished_at IS NULL)
        OR EXISTS (SELECT 1 FROM retention_trash WHERE cleared_at IS NULL AND (restored_at IS NOT NULL OR emptied_at IS NOT NULL))
        OR EXISTS (SELECT 1 FROM provenance_unchained) AS open`;
    return row?.open === false;
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

  async uploads(): Promise<string[]> {
    return (await this.#held()).flatMap(({ name, uploads }) => uploads.map((upload) => `${name}/${upload}`));
  }

  async remains(): Promise<Remains> {
    const held = await this.#held();
    return {
      lines: [
        ...held.flatMap(({ name, lines }) => lines.map((line) => `at ${name}: ${line}`)),
        ...(await rowsOf(this.database)),
        `the chain is ${(await this.#isChainIntact()) ? 'intact' : 'BROKEN'}`,
      ],
      uploads: held.flatMap(({ name, uploads }) => uploads.map((upload) => `${name}/${upload}`)),
    };
  }

  async #fill(): Promise<void> {
    await pushArtifact(this.#ci.repository(app.repository), { root: app.index, referrers: [app.attestation], cosignTags: [app.signature] });
    await this.push(app.repository, app.index, ['br-1']);
    await this.push(app.repository, app.archived, ['old-1']);
    await this.push(app.repository, app.kept, ['1.0.0', 'tmp-1']);
    await this.push(tool.repository, tool.wanted, ['br-2']);
    await this.push(tool.repository, tool.gone, ['br-3']);
    this.#principalId = await applyFirst(this.database, this.#topology);
    // Far apart: whoever is killed is not to be in the middle of a crawl of its own.
    await new CrawlSchedules(this.database).declare([{ name: 'ci', location: 'eu', quickMs: 86_400_000, fullMs: 86_400_000 }]);
    await this.#crawl();
    await this.#crawl();
  }

  /** What one crawl saw first was there before the next. */
  async #crawl(): Promise<void> {
    await new CrawlSchedules(this.database).request({ registry: 'ci', kind: 'full', requestedBy: this.#principalId });
    const leases = new CrawlLeases(this.database, { leaseMs: patienceMs });
    const lease = await leases.claimNext('all', 'stage');
    if (lease === undefined) throw new Error('no crawl waits');
    const { records } = await leases.load(lease);
    const failure = await crawlRegistry({ registry: this.#ci, records, mayListReferrers: true }, new AbortController().signal);
    if (failure !== undefined) throw new Error(failure.message);
    await leases.finish(lease, records.tally, undefined);
  }

  /** Lets the policy act as it is declared, after a look at a plan of it. */
  async #approve(): Promise<void> {
    const { database } = this;
    const runId = uuidV7.next();
    const run = { id: runId, policy: policyName, by: this.#principalId, isDryRun: true, detail: 'removals' } as const;
    await new RetentionRuns(database).request(run, await this.#claim());
    const lease = await new RetentionLeases(database, { leaseMs: patienceMs }).claimPlanning('stage');
    if (lease === undefined) throw new Error('no run waits');
    const revisions = new TopologyRevisions(database);
    const { end } = await new PlanRun({ database, revisions }).plan(lease, new AbortController().signal);
    if (end !== 'planned') throw new Error(`the plan is ${end}`);
    const approval = { id: uuidV7.next(), policy: policyName, runId, by: this.#principalId, reason: 'the scene wants it' };
    await new RetentionApprovals(database).approve(approval, await this.#claim());
  }

  async #claim() {
    const request = { principalId: this.#principalId, route: 'POST /retention', key: uuidV7.next(), hash: new Uint8Array(32) };
    const claimed = await new IdempotencyKeys(this.database).claim(request);
    if (claimed.claim !== 'ours') throw new Error(`the claim is ${claimed.claim}`);
    return { request, token: claimed.token, answerOf: () => ({ status: 201, headers: {}, body: {} }) };
  }

  get #proxies(): readonly FaultProxy[] {
    const { ciProxy, prodProxy } = this.#options.lane;
    return [ciProxy, prodProxy];
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

async function tagAll(store: RepositoryClient, manifest: Manifest, tags: readonly string[]): Promise<void> {
  for (const tag of tags) await store.putTag(parseTag(tag), manifest);
}
