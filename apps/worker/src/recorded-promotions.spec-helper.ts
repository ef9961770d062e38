import { uuidV7 } from '@waybill/kernel';
import { type Manifest, parseRepositoryName, parseTag } from '@waybill/oci-model';
import {
  ApiKeys,
  type CollectionRow,
  Collections,
  Database,
  type DispatchMessage,
  IdempotencyKeys,
  Outbox,
  type PromotionDetail,
  PromotionReadModel,
  PromotionWriter,
  RegistryChecks,
  TopologyRevisions,
} from '@waybill/persistence';
import { hashIntent, type ResolvedItem } from '@waybill/promotion';
import { createMigratedDatabase, type TestDatabase } from '@waybill/testing';
import type { PlacedRegistry, Topology } from '@waybill/topology';

export const repository = parseRepositoryName('team-a/app');
export const oneTag = parseTag('1.0.0');

/** Where the registries of `topologyAt` are reached; one that is left out is local and not running. */
export type Addresses = Readonly<Partial<Record<'ci' | 'prod' | 'prod-us', string>>>;

/** CI feeds Prod in the EU, and a replica in the US repeats it. */
export function topologyAt(addresses: Addresses = {}): Topology {
  const at = (name: keyof Addresses, facts: Pick<PlacedRegistry, 'role' | 'location' | 'of'>): PlacedRegistry => {
    const url = addresses[name];
    return { name, insecure: false, immutableTags: { kind: 'none' }, ...(url === undefined ? { local: {} } : { url }), ...facts };
  };
  return {
    name: 'spec',
    retention: [],
    locations: { eu: { egress: {} }, us: { egress: {} } },
    registries: {
      ci: at('ci', { role: 'ci-snapshots', location: 'eu' }),
      prod: at('prod', { role: 'prod', location: 'eu' }),
      'prod-us': at('prod-us', { role: 'replica', of: 'prod', location: 'us' }),
    },
    paths: { release: { name: 'release', from: 'ci', to: ['prod'], repositories: ['**'], tags: '.*', target: '{repository}' } },
    replications: [{ from: 'prod', to: ['prod-us'], repositories: ['**'] }],
  };
}

/** A migrated database with a topology applied, in which promotions can be recorded as the API does. */
export class RecordedPromotions {
  private constructor(
    readonly server: TestDatabase,
    readonly database: Database,
    readonly principalId: string,
  ) {}

  static async open(topology: Topology = topologyAt()): Promise<RecordedPromotions> {
    const server = await createMigratedDatabase();
    const database = new Database(server.url);
    const principal = { kind: 'service', issuer: 'waybill', subject: 'spec' } as const;
    const key = await new ApiKeys(database).put({ id: uuidV7.next(), hash: new Uint8Array(32), principal, grants: [] });
    await new TopologyRevisions(database).apply(topology, 'source', key.principal.id);
    return new RecordedPromotions(server, database, key.principal.id);
  }

  async close(): Promise<void> {
    await this.database.close();
    await this.server.drop();
  }

  /** Records the promotion of an image, by default to Prod and its replica; gives its id. */
  async request(manifest: Manifest, targets: ResolvedItem['targets'] = prodAndReplica): Promise<string> {
    const { id, claimed } = await this.#claim('POST /promotions');
    const intent = { version: 1, revision: 1, path: { name: 'release', from: 'ci', to: ['prod'] }, items: [] } as const;
    const promotion = {
      id,
      path: 'release',
      revision: 1,
      requestedBy: this.principalId,
      labels: {},
      intent,
      intentHash: hashIntent(intent),
      estimate: { madeAt: new Date(0).toISOString(), targets: [], links: [] },
      items: [itemOf(manifest, targets)],
    };
    if (!(await new PromotionWriter(this.database).create(promotion, claimed))) throw new Error('the claim was lost');
    return id;
  }

  /** Asks for a check of registries; gives its id. */
  async requestCheck(...names: readonly string[]): Promise<string> {
    const { id, claimed } = await this.#claim('POST /registry-checks');
    const registries = names.map((name) => ({ name, location: name === 'prod-us' ? 'us' : 'eu' }));
    await new RegistryChecks(this.database).create({ id, revision: 1, requestedBy: this.principalId, registries }, claimed);
    return id;
  }

  /** Asks for a collection of Prod, which is local; gives its id. */
  async requestCollection(asked: { readonly isDryRun?: boolean } = {}): Promise<string> {
    const { id, claimed } = await this.#claim('POST /collections');
    const collection = { id, registry: 'prod', requestedBy: this.principalId, reason: 'the disk is full', isDryRun: false, ...asked };
    await new Collections(this.database).create(collection, { ...claimed, answerOf: () => claimed.answer });
    return id;
  }

  async collection(id: string): Promise<CollectionRow> {
    const row = await new Collections(this.database).get(id);
    if (row === undefined) throw new Error(`there is no collection ${id}`);
    return row;
  }

  async #claim(route: string) {
    const id = uuidV7.next();
    const request = { principalId: this.principalId, route, key: id, hash: new Uint8Array(32) };
    const claim = await new IdempotencyKeys(this.database).claim(request);
    if (claim.claim !== 'ours') throw new Error(`the claim is ${claim.claim}`);
    return { id, claimed: { request, token: claim.token, answer: { status: 202, headers: {}, body: { id } } } };
  }

  /** The promotion's current message for Prod's location, taken from the outbox with all others. */
  async messageOf(promotionId: string): Promise<DispatchMessage> {
    const messages: DispatchMessage[] = [];
    await new Outbox(this.database).relay((batch) => Promise.resolve(void messages.push(...batch)));
    const message = messages.find((one) => one.promotionId === promotionId && one.location === 'eu');
    if (message === undefined) throw new Error(`the outbox holds no message of ${promotionId}`);
    return message;
  }

  async promotion(id: string): Promise<PromotionDetail> {
    const promotion = await new PromotionReadModel(this.database).get(id);
    if (promotion === undefined) throw new Error(`there is no promotion ${id}`);
    return promotion;
  }

  /** Who runs the promotion at Prod's location, by the database's clock. */
  async dispatchOf(
    id: string,
  ): Promise<{ readonly state: string; readonly isHeld: boolean; readonly isDue: boolean; readonly number: number }> {
    const [row] = await this.database.tables.$queryRaw<{ state: string; held: boolean; due: boolean; number: bigint }[]>`
      SELECT state, number, coalesce(lease_expires_at > now(), false) AS held, coalesce(due_at <= now(), false) AS due
      FROM dispatch WHERE promotion_id = ${id}::uuid AND location = 'eu'`;
    if (row === undefined) throw new Error(`promotion ${id} has no dispatch`);
    return { state: row.state, isHeld: row.held, isDue: row.due, number: Number(row.number) };
  }

  /** When the lease of whoever runs the promotion ends; undefined when nobody does. */
  async leaseEndOf(id: string): Promise<Date | undefined> {
    const { leaseExpiresAt } = await this.database.tables.dispatch.findUniqueOrThrow({
      where: { promotionId_location: { promotionId: id, location: 'eu' } },
    });
    return leaseExpiresAt ?? undefined;
  }

  /** Lets the lease of whoever runs the promotion end now, as if time had passed. */
  async endLease(id: string): Promise<void> {
    await this.database.tables.$executeRaw`
      UPDATE dispatch SET lease_expires_at = now(), due_at = now() WHERE promotion_id = ${id}::uuid AND state = 'leased'`;
  }
}

const tags = [{ tag: oneTag, expected: { kind: 'absent' } as const }];

/** What is wanted at a registry in the EU. */
export function requiredAt(registry: string): ResolvedItem['targets'][number] {
  return { registry, location: 'eu', repository, tags, requirement: 'required' };
}

const prodAndReplica: ResolvedItem['targets'] = [
  requiredAt('prod'),
  { registry: 'prod-us', location: 'us', repository, tags, requirement: 'best-effort', follows: 'prod' },
];

function itemOf({ digest, mediaType }: Manifest, targets: ResolvedItem['targets']): ResolvedItem {
  return { source: { registry: 'ci', repository, tag: oneTag }, digest, mediaType, targets };
}
