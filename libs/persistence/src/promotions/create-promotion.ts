import { type IdSource, uuidV7 } from '@waybill/kernel';
import { type Digest, digestToBytes } from '@waybill/oci-model';
import type { ObservedTarget } from '@waybill/promotion';
import { type IdempotentRequest, storeAnswer, type StoredAnswer } from '../access/idempotency-keys.js';
import { type Database, rollBack, type Tables, undefinedWhenRolledBack } from '../database.js';
import { Prisma } from '../generated/client.js';
import { queueDispatches } from '../run/outbox.js';
import type { NewPromotion } from './new-promotion.js';

interface TargetRow {
  readonly id: string;
  readonly target: ObservedTarget;
  readonly registryId: string;
  readonly digest: Digest;
}

/** Records promotions. */
export class PromotionWriter {
  readonly #database: Database;
  readonly #ids: IdSource;

  constructor(database: Database, ids: IdSource = uuidV7) {
    this.#database = database;
    this.#ids = ids;
  }

  /**
   * One transaction: promotion, items, item-targets, tickets of their tags, dispatches, outbox,
   * the decision's record and the answer to the request. False, and nothing done, when
   * the request's claim was taken over meanwhile.
   */
  async create(
    promotion: NewPromotion,
    request: { readonly request: IdempotentRequest; readonly token: string; readonly answer: StoredAnswer },
  ): Promise<boolean> {
    const created = await this.#database
      .transaction(async (tables) => {
        if (!(await storeAnswer(tables, request.request, request.token, request.answer))) rollBack();
        await this.#insert(tables, promotion);
        return true;
      })
      .catch(undefinedWhenRolledBack);
    return created ?? false;
  }

  async #insert(tables: Tables, promotion: NewPromotion): Promise<void> {
    const registries = await tables.registry.findMany({ where: { replacedAt: null }, select: { id: true, name: true } });
    const idOf = new Map(registries.map(({ id, name }) => [name, id]));
    await insertPromotion(tables, promotion);

    const items = promotion.items.map((item) => ({ item, id: this.#ids.next() }));
    await tables.promotionItem.createMany({
      data: items.map(({ item, id }, position) => ({
        id,
        promotionId: promotion.id,
        position,
        sourceRegistryId: required(idOf, item.source.registry),
        sourceRepository: item.source.repository,
        sourceTag: item.source.tag ?? null,
        digest: digestToBytes(item.digest),
        mediaType: item.mediaType,
      })),
    });
    for (const { item, id } of items) {
      const targets = item.targets.map((target) => ({
        id: this.#ids.next(),
        target,
        registryId: required(idOf, target.registry),
        digest: item.digest,
      }));
      await insertTargets(tables, promotion.id, id, targets);
    }
    await recordRequest(tables, promotion);
    const locations = new Set(promotion.items.flatMap((item) => item.targets.map(({ location }) => location)));
    await queueDispatches(tables, promotion.id, [...locations]);
  }
}

async function insertPromotion(tables: Tables, promotion: NewPromotion): Promise<void> {
  await tables.promotion.create({
    data: {
      id: promotion.id,
      path: promotion.path,
      revision: BigInt(promotion.revision),
      state: 'requested',
      requestedBy: promotion.requestedBy,
      onBehalfOf: promotion.onBehalfOf ?? Prisma.DbNull,
      reason: promotion.reason ?? null,
      labels: promotion.labels,
      externalRef: promotion.externalRef ?? null,
      intent: promotion.intent as object,
      intentHash: promotion.intentHash,
      estimate: promotion.estimate as object,
    },
  });
}

async function insertTargets(tables: Tables, promotionId: string, itemId: string, targets: readonly TargetRow[]): Promise<void> {
  const idOf = new Map(targets.map(({ id, target }) => [target.registry, id]));
  await tables.itemTarget.createMany({
    data: targets.map(({ id, target, registryId }) => ({
      id,
      promotionId,
      itemId,
      registryId,
      location: target.location,
      repository: target.repository,
      requirement: target.requirement,
      follows: target.follows === undefined ? null : (idOf.get(target.follows) ?? null),
      state: 'pending',
    })),
  });
  await insertTags(tables, targets);
}

/**
 * Gives each tag its ticket: the order in which this name is written. Rows are locked in
 * one order by everyone, and until commit, so tickets are given in the order of commits.
 */
async function insertTags(tables: Tables, targets: readonly TargetRow[]): Promise<void> {
  const tags = targets.flatMap(({ id, target, registryId }) =>
    target.tags.map(({ tag, expected }) => ({ id, registryId, repository: target.repository, tag, expected })),
  );
  const tickets = await tables.$queryRaw<{ registry_id: string; repository: string; tag: string; last_ticket: bigint }[]>`
    INSERT INTO tag_order (registry_id, repository, tag, last_ticket)
    SELECT registry_id, repository, tag, 1
    FROM unnest(${tags.map((row) => row.registryId)}::uuid[], ${tags.map((row) => row.repository)}::text[], ${tags.map((row) => row.tag)}::text[])
      AS wanted (registry_id, repository, tag)
    ORDER BY 1, 2, 3
    ON CONFLICT (registry_id, repository, tag) DO UPDATE SET last_ticket = tag_order.last_ticket + 1
    RETURNING registry_id, repository, tag, last_ticket`;
  const ticketOf = new Map(tickets.map((row) => [`${row.registry_id} ${row.repository}:${row.tag}`, row.last_ticket]));
  await tables.itemTargetTag.createMany({
    data: tags.map(({ id, registryId, repository, tag, expected }) => ({
      itemTargetId: id,
      tag,
      ticket: required(ticketOf, `${registryId} ${repository}:${tag}`),
      expected: expected.kind,
      expectedDigest: expected.kind === 'digest' ? digestToBytes(expected.digest) : null,
    })),
  });
}

async function recordRequest(tables: Tables, promotion: NewPromotion): Promise<void> {
  await tables.provenanceRecord.createMany({
    data: promotion.items.map((item, position) => ({
      kind: 'decision',
      promotionId: promotion.id,
      subject: digestToBytes(item.digest),
      body: {
        decision: 'requested',
        item: position,
        path: promotion.path,
        revision: promotion.revision,
        intentHash: `sha256:${Buffer.from(promotion.intentHash).toString('hex')}`,
        source: item.source as object,
        requestedBy: promotion.requestedBy,
        ...(promotion.onBehalfOf === undefined ? {} : { onBehalfOf: promotion.onBehalfOf }),
        ...(promotion.reason === undefined ? {} : { reason: promotion.reason }),
        ...(promotion.externalRef === undefined ? {} : { externalRef: promotion.externalRef }),
      },
    })),
  });
}

function required<Value>(map: ReadonlyMap<string, Value>, key: string): Value {
  const value = map.get(key);
  if (value === undefined) throw new Error(`no row for ${key}: the topology changed while the promotion was recorded`);
  return value;
}
