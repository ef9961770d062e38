import { rm } from 'node:fs/promises';
import { type LocalRegistryProcess, startLocalRegistryProcess } from '@waybill/embedded';
import { uuidV7 } from '@waybill/kernel';
import { Metrics } from '@waybill/observability';
import { type Digest, type Manifest, parseRepositoryName, type RepositoryName, type Tag } from '@waybill/oci-model';
import { RegistryClient, type RepositoryClient } from '@waybill/oci-registry';
import {
  type AskedOfTrash,
  findRestorable,
  findPurgeable,
  IdempotencyKeys,
  purgeLookRecords,
  PurgeRecords,
  RegistryChecks,
  RetentionTrash,
  TopologyRevisions,
  TrashRequestLeases,
  type TrashRequestKind,
  type TrashRequestRow,
  TrashRequests,
} from '@waybill/persistence';
import { isListOfReferrers } from '@waybill/retention';
import { type FrontFaults, makeTestFolder, type ScriptedServer, startFaultyFront } from '@waybill/testing';
import { type Logged, logged } from '../../infrastructure/logged.spec-helper.js';
import { type DepartingManifest, KeepInTrash } from '../../infrastructure/trash/keep-in-trash.js';
import { TrashClients } from '../../infrastructure/trash/trash-clients.js';
import { RecordedPromotions, topologyAt } from '../../recorded-promotions.spec-helper.js';
import { CarryOutPurge } from './carry-out-purge.js';
import { CarryOutRestore } from './carry-out-restore.js';
import { EmptyTrash, type EmptyTrashOptions } from './empty-trash.js';
import { RunTrashRequests } from './run-trash-requests.js';

export const app = parseRepositoryName('team-a/app');
export const trashOfApp = parseRepositoryName('waybill-trash/team-a/app');
const leaseMs = 60_000;
const week = 7 * 24 * 3_600_000;

interface Parts extends Pick<TrashScene, 'recorded' | 'process' | 'front' | 'faults' | 'clients' | 'registryId'> {
  readonly folder: string;
}

/** Prod on Distribution behind a front that sees each request, and what workers do with its trash. */
export class TrashScene {
  readonly log: Logged = logged();
  /** Whether and how a request of a worker fails. */
  readonly faults: { onRequest: FrontFaults };

  readonly recorded: RecordedPromotions;
  readonly process: LocalRegistryProcess;
  readonly front: ScriptedServer;
  readonly client: RegistryClient;
  readonly clients: TrashClients;
  readonly registryId: string;
  readonly #folder: string;

  private constructor(parts: Parts) {
    this.recorded = parts.recorded;
    this.process = parts.process;
    this.front = parts.front;
    this.client = new RegistryClient({ origin: parts.process.url, timeouts: { settleMs: 1 } });
    this.faults = parts.faults;
    this.clients = parts.clients;
    this.registryId = parts.registryId;
    this.#folder = parts.folder;
  }

  static async open(): Promise<TrashScene> {
    const faults: TrashScene['faults'] = { onRequest: () => undefined };
    const folder = await makeTestFolder('waybill-trash-');
    const process = await startLocalRegistryProcess({ name: 'prod', dataDir: folder, engine: 'docker-registry' });
    const front = await startFaultyFront(process.url, (request) => faults.onRequest(request));
    const recorded = await RecordedPromotions.open(topologyAt({ prod: front.origin }));
    const revisions = new TopologyRevisions(recorded.database);
    const registryId = (await revisions.currentRegistries()).find(({ name }) => name === 'prod')?.id ?? '';
    const clients = new TrashClients({
      config: { secrets: { prefix: 'WAYBILL_SECRET_' } },
      revisions,
      checks: new RegistryChecks(recorded.database),
      metrics: new Metrics(),
      logger: logged().logger,
    });
    return new TrashScene({ recorded, process, front, faults, clients, registryId, folder });
  }

  async close(): Promise<void> {
    this.clients.close();
    this.client.close();
    await this.front.stop();
    await this.process.stop();
    await this.recorded.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get trash(): RetentionTrash {
    return new RetentionTrash(this.recorded.database);
  }

  repository(name: RepositoryName): RepositoryClient {
    return this.client.repository(name);
  }

  /** A run that deletes; gives its id. */
  async run(): Promise<string> {
    const id = uuidV7.next();
    await this.recorded.database.tables.$executeRaw`
      INSERT INTO retention_run (id, policy, registry_id, revision, policy_hash, snapshot, trigger, mode, state, finished_at)
      VALUES (${id}::uuid, 'nightly', ${this.registryId}::uuid, 1, ${new Uint8Array(32)}, '{}', 'schedule', 'enforce', 'succeeded', now())`;
    return id;
  }

  async keeper(
    runId: string,
    { ttlMs = week, trash = this.trash }: { ttlMs?: number; trash?: Pick<RetentionTrash, 'begin' | 'kept'> } = {},
  ) {
    const opened = await this.clients.open(this.registryId);
    return new KeepInTrash({ trash, opened, registryId: this.registryId, repository: app, runId, ttlMs });
  }

  /** As a run does: what lists others, a list of referrers too, goes before them. */
  async delete(departing: readonly DepartingManifest[]): Promise<void> {
    const isList = ({ manifest, tags }: DepartingManifest): number => Number(isListOfReferrers(manifest, tags));
    for (const { manifest } of [...departing].sort((one, other) => isList(other) - isList(one))) {
      await this.repository(app).deleteManifest(manifest.digest);
    }
  }

  /** Keeps these, and deletes them. */
  async discard(departing: readonly DepartingManifest[], options: { ttlMs?: number } = {}): Promise<string> {
    const run = await this.run();
    const keeper = await this.keeper(run, options);
    for (const one of departing) await keeper.keep(one, new AbortController().signal);
    await this.delete(departing);
    return run;
  }

  /** All that tags of the repository name, and what is asked for besides, with the tags of each. */
  async departing(others: readonly Manifest[]): Promise<DepartingManifest[]> {
    const store = this.repository(app);
    const tags = await this.tags();
    const manifests = new Map<Digest, Manifest>(others.map((manifest) => [manifest.digest, manifest]));
    for (const digest of new Set(tags.values())) manifests.set(digest, await store.readManifest(digest));
    return [...manifests.values()].map((manifest) => ({
      manifest,
      tags: [...tags].filter(([, digest]) => digest === manifest.digest).map(([tag]) => tag),
    }));
  }

  /** What each tag names; empty when there is none. */
  async tags(name: RepositoryName = app): Promise<Map<Tag, Digest>> {
    const store = this.repository(name);
    const found = new Map<Tag, Digest>();
    try {
      for await (const tag of store.listTags()) {
        const digest = await store.resolveTag(tag);
        if (digest !== undefined) found.set(tag, digest);
      }
    } catch (error) {
      if ((error as { readonly code?: string }).code !== 'not-found') throw error;
    }
    return new Map([...found].sort());
  }

  collectGarbage(): Promise<unknown> {
    return this.process.collect({ isDryRun: false, onPhase: () => undefined });
  }

  /** As the API records it. */
  async ask(asked: Omit<AskedOfTrash, 'registry'>, kind: TrashRequestKind = 'restore'): Promise<TrashRequestRow> {
    const { database, principalId: by } = this.recorded;
    const request = { principalId: by, route: 'POST /spec', key: uuidV7.next(), hash: new Uint8Array(32) };
    const claim = await new IdempotencyKeys(database).claim(request);
    if (claim.claim !== 'ours') throw new Error(`the claim is ${claim.claim}`);
    const id = uuidV7.next();
    await new TrashRequests(database).create(
      kind,
      { id, by, reason: 'a mistake', asked: { registry: 'prod', ...asked } },
      {
        ...{ request, token: claim.token, find: kind === 'restore' ? findRestorable : findPurgeable },
        answerOf: () => ({ status: 202, headers: {}, body: {} }),
      },
    );
    return this.request(id, kind);
  }

  async request(id: string, kind: TrashRequestKind = 'restore'): Promise<TrashRequestRow> {
    const row = await new TrashRequests(this.recorded.database).get(kind, id);
    if (row === undefined) throw new Error(`there is no request ${id}`);
    return row;
  }

  worker({
    leases = this.leases(),
    workerId = 'one',
    lookMs,
  }: { readonly leases?: TrashRequestLeases; readonly workerId?: string; readonly lookMs?: number } = {}) {
    const { clients, log } = this;
    const { database } = this.recorded;
    const kinds = {
      restore: new CarryOutRestore({ leases, clients }),
      purge: new CarryOutPurge({
        ...{ leases, clients, ...(lookMs === undefined ? {} : { lookMs }) },
        recordsOf: (lease, repository) => new PurgeRecords(database, lease, repository),
        lookRecordsOf: (lease, options) => purgeLookRecords(database, lease, options),
      }),
    };
    return new RunTrashRequests({ leases, kinds, leaseMs, retryMs: 0, workerId, logger: log.logger });
  }

  leases(): TrashRequestLeases {
    return new TrashRequestLeases(this.recorded.database, { leaseMs });
  }

  /** Lets every lease end now, as if time had passed. */
  async endLeases(): Promise<void> {
    await this.recorded.database.tables.$executeRaw`
      UPDATE retention_request SET lease_expires_at = now() - interval '1 second' WHERE lease_expires_at IS NOT NULL`;
    await this.recorded.database.tables.$executeRaw`
      UPDATE retention_trash SET lease_expires_at = now() - interval '1 second' WHERE lease_expires_at IS NOT NULL`;
  }

  /** Brings back what is asked for. */
  async restore(asked: Omit<AskedOfTrash, 'registry'>): Promise<TrashRequestRow> {
    const { id } = await this.ask(asked);
    await this.worker().run();
    return this.request(id);
  }

  /** Deletes at once what is asked for. */
  async purge(asked: Omit<AskedOfTrash, 'registry'>): Promise<TrashRequestRow> {
    const { id } = await this.ask(asked, 'purge');
    await this.worker().run();
    return this.request(id, 'purge');
  }

  /** Empties all that may go; gives how many rows. */
  async empty(trash: EmptyTrashOptions['trash'] = this.trash): Promise<number> {
    const emptying = new EmptyTrash({
      ...{ trash, clients: this.clients, leaseMs, retryMs: 0, workerId: 'one', logger: this.log.logger },
    });
    let rows = 0;
    while ((await emptying.empty()) > 0) rows += 1;
    return rows;
  }
}
