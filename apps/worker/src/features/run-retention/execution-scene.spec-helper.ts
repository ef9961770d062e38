import { crawlRegistry } from '@waybill/inventory';
import { uuidV7 } from '@waybill/kernel';
import { Metrics } from '@waybill/observability';
import { type Digest, type Manifest, parseRepositoryName, parseTag } from '@waybill/oci-model';
import { RegistryClient, type RepositoryClient } from '@waybill/oci-registry';
import {
  CrawlLeases,
  CrawlSchedules,
  type ExecutionJournal,
  IdempotencyKeys,
  type MarkRow,
  RegistryChecks,
  RetentionApprovals,
  type RetentionLease,
  RetentionLeases,
  type RetentionRunRow,
  RetentionRuns,
  RetentionTicks,
  TopologyRevisions,
} from '@waybill/persistence';
import {
  buildImage,
  type BuiltContent,
  type DockerRegistryOptions,
  type FrontFaults,
  pushBuilt,
  type RunningRegistry,
  type ScriptedServer,
  startDockerRegistry,
  startFaultyFront,
  until,
} from '@waybill/testing';
import type { PlacedRegistry, RetentionPolicy, RetentionRule } from '@waybill/topology';
import { type Logged, logged } from '../../infrastructure/logged.spec-helper.js';
import { TrashClients } from '../../infrastructure/trash/trash-clients.js';
import { RecordedPromotions, topologyAt } from '../../recorded-promotions.spec-helper.js';
import { ExecuteRun } from './execute-run.js';
import { PlanRun } from './plan-run.js';
import { RunRetention } from './run-retention.js';

export const app = parseRepositoryName('team-a/app');
export const nightly = 'nightly';
const leaseMs = 60_000;

const branches: RetentionRule = { name: 'branches', action: 'delete', match: { tags: { glob: ['br-*'] } }, criteria: 'all' };

/** Deletes `br-*` of CI after a moment's grace. */
export function policyOf(change: Partial<RetentionPolicy> = {}): RetentionPolicy {
  return {
    ...{ name: nightly, registry: 'ci', origin: 'declared', mode: 'enforce', schedule: { cron: '0 3 * * *', timezone: 'UTC' }, graceMs: 1 },
    rules: [branches],
    repositories: { include: ['**'], exclude: [] },
    protect: { immutable: [], minKeepPerRepository: 0, promotedWithinMs: 0, rollbackDepth: 0 },
    limits: { maxDeletePercent: 100, maxDeleteCount: 500, maxDeleteBytes: 1e12 },
    ...change,
  };
}

/** What a crash test lets fail. */
export type JournalOf = (lease: RetentionLease) => ExecutionJournal;

interface Parts {
  readonly recorded: RecordedPromotions;
  readonly process: RunningRegistry;
  readonly archive: RunningRegistry;
  readonly front: ScriptedServer;
}

/** CI on Distribution behind a front that sees each request, crawled, with a policy that acts. */
export class ExecutionScene {
  readonly log: Logged = logged();
  readonly recorded: RecordedPromotions;
  readonly process: RunningRegistry;
  readonly archive: RunningRegistry;
  readonly front: ScriptedServer;
  readonly client: RegistryClient;
  readonly clients: TrashClients;
  readonly #archived: RegistryClient;
  readonly runs: RetentionRuns;
  readonly revisions: TopologyRevisions;

  private constructor({ recorded, process, archive, front }: Parts) {
    this.recorded = recorded;
    this.process = process;
    this.archive = archive;
    this.front = front;
    this.client = new RegistryClient({ origin: process.url, timeouts: { settleMs: 1 } });
    this.#archived = new RegistryClient({ origin: archive.url });
    const { database } = recorded;
    this.revisions = new TopologyRevisions(database);
    this.runs = new RetentionRuns(database);
    const checks = new RegistryChecks(database);
    const config = { secrets: { prefix: 'WAYBILL_SECRET_' } } as const;
    this.clients = new TrashClients({ config, revisions: this.revisions, checks, metrics: new Metrics(), logger: this.log.logger });
  }

  static async open(options: { readonly registry?: DockerRegistryOptions; readonly faults?: FrontFaults } = {}): Promise<ExecutionScene> {
    const process = await startDockerRegistry(options.registry);
    const archive = await startDockerRegistry();
    const front = await startFaultyFront(process.url, options.faults ?? (() => undefined));
    const scene = new ExecutionScene({ recorded: await RecordedPromotions.open(), process, archive, front });
    await scene.declare(policyOf());
    return scene;
  }

  async close(): Promise<void> {
    this.clients.close();
    this.client.close();
    this.#archived.close();
    await this.front.stop();
    await this.process.stop();
    await this.archive.stop();
    await this.recorded.close();
  }

  get database() {
    return this.recorded.database;
  }

  async declare(policy: RetentionPolicy): Promise<void> {
    const topology = topologyAt({ ci: this.front.origin });
    const archive: PlacedRegistry = {
      name: 'archive',
      role: 'archive',
      url: this.archive.url,
      location: 'eu',
      insecure: false,
      immutableTags: { kind: 'all' },
    };
    const declared = { ...topology, name: uuidV7.next(), registries: { ...topology.registries, archive }, retention: [policy] };
    await this.revisions.apply(declared, 'source', this.recorded.principalId);
    await new CrawlSchedules(this.database).declare([{ name: 'ci', location: 'eu', quickMs: 3_600_000, fullMs: 86_400_000 }]);
  }

  repository(name = app): RepositoryClient {
    return this.client.repository(name);
  }

  archived(name = app): RepositoryClient {
    return this.#archived.repository(name);
  }

  /** Pushes an image, one for each seed, under tags; gives its manifest. */
  async push(seed: number, tags: readonly string[], name = app): Promise<Manifest> {
    return this.pushBuilt(buildImage({ seed, layerBytes: 64 }), tags, name);
  }

  async pushBuilt(content: BuiltContent, tags: readonly string[], name = app): Promise<Manifest> {
    const store = this.repository(name);
    await pushBuilt(store, content);
    for (const tag of tags) await store.putTag(parseTag(tag), content.manifest);
    return content.manifest;
  }

  /** All of the registry, twice: what one crawl saw first was there before the next. */
  async crawl(): Promise<void> {
    for (let time = 0; time < 2; time += 1) {
      await new CrawlSchedules(this.database).request({ registry: 'ci', kind: 'full', requestedBy: this.recorded.principalId });
      const leases = new CrawlLeases(this.database, { leaseMs });
      const lease = await leases.claimNext('all', 'spec');
      if (lease === undefined) throw new Error('no crawl waits');
      const { records } = await leases.load(lease);
      const failure = await crawlRegistry({ registry: this.client, records, mayListReferrers: true }, new AbortController().signal);
      if (failure !== undefined) throw new Error(failure.message);
      await leases.finish(lease, records.tally, undefined);
    }
  }

  worker({ journalOf, workerId = 'one' }: { readonly journalOf?: JournalOf; readonly workerId?: string } = {}): RunRetention {
    const { database, revisions, clients } = this;
    const { logger } = this.log;
    return new RunRetention({
      ticks: new RetentionTicks(database),
      leases: new RetentionLeases(database, { leaseMs }),
      leaseMs,
      planRun: new PlanRun({ database, revisions }),
      executeRun: new ExecuteRun({ database, revisions, clients, logger, ...(journalOf === undefined ? {} : { journalOf }) }),
      workerId,
      logger,
    });
  }

  /** Lets the policy act as it is declared, after a look at a plan of it. */
  async approve(): Promise<void> {
    const runId = await this.request({ isDryRun: true });
    await this.worker().run();
    const approval = { id: uuidV7.next(), policy: nightly, runId, by: this.recorded.principalId, reason: 'spec' };
    await new RetentionApprovals(this.database).approve(approval, await this.#claim());
  }

  /** Asks for a run; gives its id. */
  async request({ isDryRun = false } = {}): Promise<string> {
    const id = uuidV7.next();
    await this.runs.request({ id, policy: nightly, by: this.recorded.principalId, isDryRun, detail: 'removals' }, await this.#claim());
    return id;
  }

  /** Crawls, approves, and plans a run that acts; gives its id. */
  async planned(): Promise<string> {
    await this.crawl();
    await this.approve();
    const id = await this.request();
    await this.worker().run();
    return id;
  }

  /** Lets workers carry it on until it has ended. */
  async finish(id: string, worker: () => RunRetention = () => this.worker()): Promise<RetentionRunRow> {
    await until('the run has ended', async () => {
      await worker().execute();
      return (await this.run(id)).finishedAt !== null;
    });
    return this.run(id);
  }

  /** As if the worker that has the run were silent for longer than its lease. */
  async expireLease(id: string): Promise<void> {
    await this.database.tables
      .$executeRaw`UPDATE retention_run SET lease_expires_at = now() - interval '1 second' WHERE id = ${id}::uuid AND lease_expires_at IS NOT NULL`;
  }

  async run(id: string): Promise<RetentionRunRow> {
    const run = await this.runs.get(id);
    if (run === undefined) throw new Error(`there is no run ${id}`);
    return run;
  }

  async marks(id: string): Promise<Record<Digest, MarkRow['state']>> {
    const rows = await this.runs.marks(id, { limit: 1_000 });
    return Object.fromEntries(rows.map(({ digest, state }) => [digest, state]));
  }

  /** Digests of what the provenance says was deleted. */
  async provenanceOf(id: string): Promise<string[]> {
    const rows = await this.database.tables.$queryRaw<{ digest: string; tag: string }[]>`
      SELECT digest_text(e.digest) AS digest, e.tag FROM effect e JOIN provenance_record p ON p.effect_id = e.id
      WHERE e.retention_run_id = ${id}::uuid AND e.kind = 'deletion' AND e.outcome = 'deleted' ORDER BY 1, 2`;
    return rows.map(({ digest, tag }) => `${digest} ${tag}`.trim());
  }

  /** What the registry holds: each tag with what it names. */
  async tags(name = app): Promise<Record<string, Digest>> {
    const store = this.repository(name);
    const found: Record<string, Digest> = {};
    try {
      for await (const tag of store.listTags()) {
        const digest = await store.resolveTag(tag);
        if (digest !== undefined) found[tag] = digest;
      }
    } catch (error) {
      if ((error as { code?: string }).code !== 'not-found') throw error;
    }
    return found;
  }

  async holds(digest: Digest, name = app): Promise<boolean> {
    return this.repository(name).hasManifest(digest);
  }

  async #claim() {
    const request = { principalId: this.recorded.principalId, route: 'POST /spec', key: uuidV7.next(), hash: new Uint8Array(32) };
    const claimed = await new IdempotencyKeys(this.database).claim(request);
    if (claimed.claim !== 'ours') throw new Error(`the claim is ${claimed.claim}`);
    return { request, token: claimed.token, answerOf: () => ({ status: 201, headers: {}, body: {} }) };
  }
}
