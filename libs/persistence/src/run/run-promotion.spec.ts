import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { childrenOf, descriptorOf, digestOf, mediaType, type RepositoryName, type Tag } from '@waybill/oci-model';
import { type ContentCopier, hashIntent, type ResolvedItem, runItem } from '@waybill/promotion';
import { createMigratedDatabase, type TestDatabase } from '@waybill/testing';
import type { Topology } from '@waybill/topology';
import { IdempotencyKeys } from '../access/idempotency-keys.js';
import { ApiKeys } from '../access/api-keys.js';
import { Database } from '../database.js';
import { PromotionWriter } from '../promotions/create-promotion.js';
import { PromotionReadModel } from '../promotions/promotion.read-model.js';
import { ProvenanceChain } from '../provenance/provenance-chain.js';
import { verifyChain } from '@waybill/provenance';
import { TopologyRevisions } from '../topology/topology-revisions.js';
import { closeRun } from './close-run.js';
import { DispatchLeases } from './dispatch-lease.js';
import { loadRun } from './load-run.js';
import { type DispatchMessage, Outbox } from './outbox.js';
import { PrismaRunJournal } from './prisma-run-journal.js';
import { TagLeases } from './tag-leases.js';

const bytes = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaType.ociManifest,
    config: { mediaType: mediaType.ociConfig, digest: digestOf(Buffer.from('{}')), size: 2 },
    layers: [],
  }),
);
const manifest = { bytes, digest: digestOf(bytes), mediaType: mediaType.ociManifest };
const tag = '1.0.0' as Tag;
const repository = 'team-a/app' as RepositoryName;

const local = { local: {}, insecure: false, immutableTags: { kind: 'all' } } as const;
const topology: Topology = {
  name: 'test',
  locations: { eu: { egress: {} }, us: { egress: {} } },
  registries: {
    ci: { ...local, name: 'ci', role: 'ci-snapshots', location: 'eu', immutableTags: { kind: 'none' } },
    prod: { ...local, name: 'prod', role: 'prod', location: 'eu' },
    'prod-us': { ...local, name: 'prod-us', role: 'replica', of: 'prod', location: 'us' },
  },
  paths: { release: { name: 'release', from: 'ci', to: ['prod'], repositories: ['**'], tags: '.*', target: '{repository}' } },
  replications: [{ from: 'prod', to: ['prod-us'], repositories: ['**'] }],
};

/** Registries that take everything, as two maps. */
function copierDouble(): ContentCopier & { readonly tags: Map<string, string> } {
  const tags = new Map<string, string>();
  return {
    tags,
    copy: async (_item, targets, { beforeManifest }) => {
      for (const target of targets) await beforeManifest(target.id, manifest);
      return new Map(
        targets.map((target) => [
          target.id,
          { outcome: 'copied', presentBlobs: new Set(), bytesCopied: 2, bytesMounted: 0, bytesSkipped: 0 } as const,
        ]),
      );
    },
    verify: async () => ({ manifests: [{ descriptor: descriptorOf(manifest), children: childrenOf(manifest).blobs }] }),
    resolveSourceTag: async () => manifest.digest,
    resolveTargetTag: async (target, name) => tags.get(`${target.registry}:${name}`) as typeof manifest.digest | undefined,
    putTargetTag: async (item, target, name) => {
      tags.set(`${target.registry}:${name}`, item.digest);
    },
  };
}

describe('a promotion in the tables', () => {
  let server: TestDatabase;
  let database: Database;
  let principalId: string;

  beforeAll(async () => {
    server = await createMigratedDatabase();
    database = new Database(server.url);
    const key = await new ApiKeys(database).put({
      id: uuidV7.next(),
      hash: new Uint8Array(32),
      principal: { kind: 'service', issuer: 'waybill', subject: 'spec' },
      grants: [],
    });
    principalId = key.principal.id;
    await new TopologyRevisions(database).apply(topology, 'source', principalId);
  });

  afterAll(async () => {
    await database.close();
    await server.drop();
  });

  async function request(): Promise<string> {
    const id = uuidV7.next();
    const idempotency = new IdempotencyKeys(database);
    const asked = { principalId, route: 'POST /promotions', key: id, hash: new Uint8Array(32) };
    const claim = await idempotency.claim(asked);
    if (claim.claim !== 'ours') throw new Error(`the claim is ${claim.claim}`);
    const target = (registry: string, location: string) => ({
      registry,
      location,
      repository,
      tags: [{ tag, expected: { kind: 'absent' } as const }],
    });
    const item: ResolvedItem = {
      source: { registry: 'ci', repository, tag },
      digest: manifest.digest,
      mediaType: manifest.mediaType,
      targets: [
        { ...target('prod', 'eu'), requirement: 'required' },
        { ...target('prod-us', 'us'), requirement: 'best-effort', follows: 'prod' },
      ],
    };
    const intent = { version: 1, revision: 1, path: { name: 'release', from: 'ci', to: ['prod'] }, items: [] } as const;
    const created = await new PromotionWriter(database).create(
      {
        id,
        path: 'release',
        revision: 1,
        requestedBy: principalId,
        labels: {},
        intent,
        intentHash: hashIntent(intent),
        estimate: { madeAt: new Date(0).toISOString(), targets: [], links: [] },
        items: [item],
      },
      { request: asked, token: claim.token, answer: { status: 202, headers: {}, body: { id } } },
    );
    expect(created).toBe(true);
    return id;
  }

  async function takeMessages(): Promise<DispatchMessage[]> {
    const messages: DispatchMessage[] = [];
    await new Outbox(database).relay(async (batch) => void messages.push(...batch));
    return messages;
  }

  async function run(message: DispatchMessage, copier: ContentCopier): Promise<void> {
    const leases = new DispatchLeases(database, { leaseMs: 10_000 });
    const lease = await leases.claim(message, 'spec');
    if (lease === undefined) throw new Error('no lease');
    const loaded = await loadRun(database, message.promotionId, message.location);
    const journal = new PrismaRunJournal(database, lease, { tags: new TagLeases(database, { leaseMs: 10_000 }) });
    for (const item of loaded?.run.items ?? []) {
      await runItem(item, { copier, journal, retry: { maxAttempts: 2, baseMs: 1, maxMs: 1 } }, new AbortController().signal);
    }
    await closeRun(database, lease);
  }

  it('goes from request to succeeded, the replica after its prod', async () => {
    const copier = copierDouble();
    const id = await request();
    const [eu, us] = (await takeMessages()).sort((one, other) => (one.location < other.location ? -1 : 1));
    if (eu === undefined || us === undefined) throw new Error('two messages were expected');

    await run(us, copier);
    expect([...copier.tags]).toEqual([]);
    await run(eu, copier);
    expect((await new PromotionReadModel(database).get(id))?.state).toBe('succeeded');
    const [woken, ...more] = await takeMessages();
    expect(more).toEqual([]);
    expect(woken).toEqual({ promotionId: id, location: 'us', dispatch: 2 });
    if (woken !== undefined) await run(woken, copier);

    const promotion = await new PromotionReadModel(database).get(id);
    expect(promotion?.items[0]?.targets.map(({ state, outcome }) => [state, outcome])).toEqual([
      ['done', 'copied'],
      ['done', 'copied'],
    ]);
    expect(copier.tags.get('prod-us:1.0.0')).toBe(manifest.digest);
    const chain = new ProvenanceChain(database);
    while ((await chain.linkPending()) > 0);
    const links = await chain.links({ after: 0n, limit: 100 });
    expect(
      links.map(
        ({ record }) => (record.body as { effect?: string; decision?: string }).effect ?? (record.body as { decision: string }).decision,
      ),
    ).toEqual(['requested', 'manifest', 'manifest', 'tag', 'target-ended', 'promotion-ended', 'tag', 'target-ended']);
    expect(verifyChain(links.flatMap(({ record, link }) => (link === undefined ? [] : [{ record, link }])))).toEqual({
      intact: true,
      links: 8,
    });
  });
});
