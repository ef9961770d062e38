import { uuidV7 } from '@waybill/kernel';
import {
  childrenOf,
  descriptorOf,
  type Digest,
  digestOf,
  type Manifest,
  mediaType,
  type RepositoryName,
  type Tag,
} from '@waybill/oci-model';
import {
  type ContentCopier,
  endCancelledRun,
  type ExpectedDigest,
  hashIntent,
  type ItemRun,
  type LocationRun,
  type ResolvedItem,
  runLocation,
  type TargetRun,
} from '@waybill/promotion';
import { createMigratedDatabase, type TestDatabase } from '@waybill/testing';
import type { Topology } from '@waybill/topology';
import { ApiKeys } from './access/api-keys.js';
import { IdempotencyKeys } from './access/idempotency-keys.js';
import { Database, type DatabaseOptions } from './database.js';
import { PromotionWriter } from './promotions/create-promotion.js';
import { PromotionReadModel, type PromotionDetail } from './promotions/promotion.read-model.js';
import { closeRun } from './run/close-run.js';
import { type DispatchLease, DispatchLeases } from './run/dispatch-lease.js';
import { loadRun } from './run/load-run.js';
import { type DispatchMessage, Outbox } from './run/outbox.js';
import { PrismaRunJournal } from './run/prisma-run-journal.js';
import { TopologyRevisions } from './topology/topology-revisions.js';

export const oneTag = '1.0.0' as Tag;
export const repository = 'team-a/app' as RepositoryName;
const leaseMs = 60_000;

/** An image manifest of its own for every name. */
export function manifestNamed(name: string): Manifest {
  const config = { mediaType: mediaType.ociConfig, digest: digestOf(Buffer.from(name)), size: Buffer.byteLength(name) };
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaType.ociManifest, config, layers: [] }));
  return { bytes, digest: digestOf(bytes), mediaType: mediaType.ociManifest };
}

export const image = manifestNamed('the image');

const local = { local: {}, insecure: false, immutableTags: { kind: 'all' } } as const;

export const topology: Topology = {
  name: 'test',
  locations: { eu: { egress: {} }, us: { egress: {} } },
  registries: {
    ci: { ...local, name: 'ci', role: 'ci-snapshots', location: 'eu', immutableTags: { kind: 'none' } },
    prod: { ...local, name: 'prod', role: 'prod', location: 'eu' },
    'prod-b': { ...local, name: 'prod-b', role: 'prod', location: 'eu', immutableTags: { kind: 'none' } },
    'prod-c': { ...local, name: 'prod-c', role: 'prod', location: 'eu' },
    'prod-us': { ...local, name: 'prod-us', role: 'replica', of: 'prod', location: 'us' },
  },
  paths: { release: { name: 'release', from: 'ci', to: ['prod'], repositories: ['**'], tags: '.*', target: '{repository}' } },
  replications: [{ from: 'prod', to: ['prod-us'], repositories: ['**'] }],
  retention: [],
};

/** What a spec asks to be promoted; by default one image to prod and its replica in the US. */
export interface Asked {
  readonly targets?: readonly string[];
  readonly tags?: readonly Tag[];
  readonly expected?: ExpectedDigest;
  readonly manifest?: Manifest;
  readonly revision?: number;
  /** What happens while the request reads registries: after its claim and before its record. */
  readonly meanwhile?: () => Promise<unknown>;
}

/** Registries that take everything, in memory. */
export class MemoryCopier implements ContentCopier {
  /** What tags hold, by `registry:tag`. */
  readonly tags: Map<string, Digest>;
  /** Manifests sent, by `registry@digest`. */
  readonly manifests = new Set<string>();
  readonly #manifest: Manifest;

  constructor(manifest: Manifest = image, tags = new Map<string, Digest>()) {
    this.#manifest = manifest;
    this.tags = tags;
  }

  copy: ContentCopier['copy'] = async (item, targets, { beforeManifest, onSettled }) => {
    for (const target of targets) {
      await beforeManifest(target.id, this.#manifest);
      this.manifests.add(`${target.registry}@${item.digest}`);
      onSettled(target.id, { outcome: 'copied', presentBlobs: new Set<Digest>(), bytesCopied: 2, bytesMounted: 0, bytesSkipped: 0 });
    }
  };

  verify: ContentCopier['verify'] = () =>
    Promise.resolve({ manifests: [{ descriptor: descriptorOf(this.#manifest), children: childrenOf(this.#manifest).blobs }] });

  holdsManifest: ContentCopier['holdsManifest'] = (target, digest) => Promise.resolve(this.manifests.has(`${target.registry}@${digest}`));

  resolveSourceTag: ContentCopier['resolveSourceTag'] = (item) => Promise.resolve(item.digest);

  resolveTargetTag: ContentCopier['resolveTargetTag'] = (target, tag) => Promise.resolve(this.tags.get(`${target.registry}:${tag}`));

  putTargetTag: ContentCopier['putTargetTag'] = (item, target, tag) => {
    this.tags.set(`${target.registry}:${tag}`, item.digest);
    return Promise.resolve();
  };
}

/** A worker's run of one promotion at one location, as far as it has come. */
export interface OpenRun {
  readonly lease: DispatchLease;
  readonly journal: PrismaRunJournal;
  readonly run: LocationRun;
  readonly item: ItemRun;
  readonly target: TargetRun;
}

/** A database with a topology, and promotions in it. */
export class Scene {
  readonly server: TestDatabase;
  readonly database: Database;
  readonly principalId: string;

  private constructor(server: TestDatabase, database: Database, principalId: string) {
    this.server = server;
    this.database = database;
    this.principalId = principalId;
  }

  static async start(options: DatabaseOptions = {}): Promise<Scene> {
    const server = await createMigratedDatabase();
    const database = new Database(server.url, options);
    const principal = { kind: 'service', issuer: 'waybill', subject: 'spec' } as const;
    const key = await new ApiKeys(database).put({ id: uuidV7.next(), hash: new Uint8Array(32), principal, grants: [] });
    await new TopologyRevisions(database).apply(topology, 'source', key.principal.id);
    return new Scene(server, database, key.principal.id);
  }

  async close(): Promise<void> {
    await this.database.close();
    await this.server.drop();
  }

  /** Applies another topology; gives its revision. */
  async apply(changed: Topology): Promise<number> {
    const { revision } = await new TopologyRevisions(this.database).apply(changed, 'source', this.principalId);
    return revision.number;
  }

  /** Records a promotion of one item or more; gives its id. */
  async request(asked: Asked = {}, ...more: readonly Asked[]): Promise<string> {
    const id = uuidV7.next();
    const request = { principalId: this.principalId, route: 'POST /promotions', key: id, hash: new Uint8Array(32) };
    const claim = await new IdempotencyKeys(this.database).claim(request);
    if (claim.claim !== 'ours') throw new Error(`the claim is ${claim.claim}`);
    const revision = asked.revision ?? 1;
    const intent = { version: 1, revision, path: { name: 'release', from: 'ci', to: ['prod'] }, items: [] } as const;
    const promotion = {
      id,
      path: 'release',
      revision,
      requestedBy: this.principalId,
      labels: {},
      intent,
      intentHash: hashIntent(intent),
      estimate: { madeAt: new Date(0).toISOString(), targets: [], links: [] },
      items: [asked, ...more].map(itemOf),
    };
    const answer = { status: 202, headers: {}, body: { id } };
    await asked.meanwhile?.();
    const created = await new PromotionWriter(this.database).create(promotion, { request, token: claim.token, answer });
    if (!created) throw new Error('the claim was lost');
    return id;
  }

  /** Takes what the outbox holds, by location. */
  async takeMessages(): Promise<DispatchMessage[]> {
    const messages: DispatchMessage[] = [];
    await new Outbox(this.database).relay((batch) => Promise.resolve(void messages.push(...batch)));
    return messages.sort((one, other) => (one.location < other.location ? -1 : 1));
  }

  /** The promotion's current message for a location, taken from the outbox with all others. */
  async messageOf(promotionId: string, location = 'eu'): Promise<DispatchMessage> {
    const messages = await this.takeMessages();
    const message = messages.findLast((one) => one.promotionId === promotionId && one.location === location);
    if (message === undefined) throw new Error(`the outbox holds no message of ${promotionId} for ${location}`);
    return message;
  }

  async claim(message: DispatchMessage, holder = 'worker'): Promise<DispatchLease> {
    const lease = await new DispatchLeases(this.database, { leaseMs }).claim(message, holder);
    if (lease === undefined) throw new Error('the dispatch is not to be had');
    return lease;
  }

  /** Claims a promotion's dispatch and loads it; `item` and `target` are the first. */
  async open(message: DispatchMessage, holder = 'worker'): Promise<OpenRun> {
    const lease = await this.claim(message, holder);
    const loaded = await loadRun(this.database, message.promotionId, message.location);
    const item = loaded?.run.items[0];
    const target = item?.targets[0];
    if (loaded === undefined || item === undefined || target === undefined) throw new Error('the run has no target');
    return { lease, journal: this.journal(lease), run: loaded.run, item, target };
  }

  journal(lease: DispatchLease): PrismaRunJournal {
    return new PrismaRunJournal(this.database, lease, { tagLeaseMs: leaseMs });
  }

  /** Does what a worker does with a message. */
  async run(message: DispatchMessage, copier: ContentCopier): Promise<void> {
    const lease = await this.claim(message);
    const loaded = await loadRun(this.database, message.promotionId, message.location);
    const ports = { copier, journal: this.journal(lease), retry: { maxAttempts: 2, baseMs: 1, maxMs: 1 } };
    const { signal } = new AbortController();
    if (loaded !== undefined) await (loaded.isCancelled ? endCancelledRun : runLocation)(loaded.run, ports, signal);
    await closeRun(this.database, lease);
  }

  /** As if all of the promotion that is due later were due now. */
  async redispatch(promotionId: string): Promise<void> {
    const { tables } = this.database;
    await tables.$executeRaw`UPDATE dispatch SET due_at = now() WHERE promotion_id = ${promotionId}::uuid AND due_at IS NOT NULL`;
    await tables.$executeRaw`UPDATE item_target SET due_at = now() WHERE promotion_id = ${promotionId}::uuid AND due_at IS NOT NULL`;
    await new Outbox(this.database).redispatchDue();
  }

  async promotion(id: string): Promise<PromotionDetail> {
    const promotion = await new PromotionReadModel(this.database).get(id);
    if (promotion === undefined) throw new Error(`there is no promotion ${id}`);
    return promotion;
  }
}

function itemOf({ targets = ['prod', 'prod-us'], tags = [oneTag], expected = { kind: 'absent' }, manifest = image }: Asked): ResolvedItem {
  return {
    source: { registry: 'ci', repository, tag: oneTag },
    digest: manifest.digest,
    mediaType: manifest.mediaType,
    targets: targets.map((registry) => ({
      registry,
      location: registry === 'prod-us' ? 'us' : 'eu',
      repository,
      tags: tags.map((tag) => ({ tag, expected })),
      ...(registry === 'prod-us' ? { requirement: 'best-effort' as const, follows: 'prod' } : { requirement: 'required' as const }),
    })),
  };
}
