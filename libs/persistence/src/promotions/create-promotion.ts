import { type IdSource, uuidV7 } from '@waybill/kernel';
import { digestToBytes } from '@waybill/oci-model';
import { type ObservedTarget, PromotionError } from '@waybill/promotion';
import { type IdempotentRequest, storeAnswer, type StoredAnswer } from '../access/idempotency-keys.js';
import { type Database, rollBack, type Tables, undefinedWhenRolledBack } from '../database.js';
import { Prisma } from '../generated/client.js';
import { requireKept } from '../run/keep-content.js';
import { queueDispatches } from '../run/outbox.js';
import type { NewPromotion } from './new-promotion.js';

interface TargetRow {
  readonly id: string;
  readonly itemId: string;
  readonly target: ObservedTarget;
  readonly registryId: string;
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
   * @throws PromotionError `topology-changed` when a registry of the plan was replaced since, `being-deleted` when a run of retention
   *   deletes what it needs: nothing was done
   */
  async create(
    promotion: NewPromotion,
    request: { readonly request: IdempotentRequest; readonly token: string; readonly answer: StoredAnswer },
  ): Promise<boolean> {
    const created = await this.#database
      .transaction(async (tables) => {
        if (!(await storeAnswer(tables, request.request, request.token, request.answer))) rollBack();
        await this.#insert(tables, promotion, request.request);
        return true;
      })
      .catch(undefinedWhenRolledBack);
    return created ?? false;
  }

  async #insert(tables: Tables, promotion: NewPromotion, request: IdempotentRequest): Promise<void> {
    const registryOf = await registriesAt(tables, promotion.revision);
    await insertPromotion(tables, promotion);

    const items = promotion.items.map((item) => ({ item, id: this.#ids.next() }));
    await tables.promotionItem.createMany({
      data: items.map(({ item, id }, position) => ({
        id,
        promotionId: promotion.id,
        position,
        sourceRegistryId: registryOf(item.source.registry),
        sourceRepository: item.source.repository,
        sourceTag: item.source.tag ?? null,
        digest: digestToBytes(item.digest),
        mediaType: item.mediaType,
      })),
    });
    const targets = items.flatMap(({ item, id: itemId }) =>
      item.targets.map((target) => ({ id: this.#ids.next(), itemId, target, registryId: registryOf(target.registry) })),
    );
    await insertTargets(tables, promotion.id, targets);
    await insertTags(tables, targets, request);
    await recordRequest(tables, promotion);
    await requireKept(tables, { targets: targets.map(({ id }) => id), request });
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
      intent: asJson(promotion.intent),
      intentHash: promotion.intentHash,
      estimate: asJson(promotion.estimate),
    },
  });
}

/** Gives the ids of registries as a revision knew them: a name that means another registry since is none of them. */
async function registriesAt(tables: Tables, revision: number): Promise<(name: string) => string> {
  const registries = await tables.registry.findMany({
    where: { replacedAt: null, firstRevision: { lte: BigInt(revision) } },
    select: { id: true, name: true },
  });
  const ids = new Map(registries.map(({ id, name }) => [name, id]));
  return (name) => {
    const id = ids.get(name);
    if (id !== undefined) return id;
    throw new PromotionError(`registry ${name} was replaced or removed while the promotion was recorded: repeat the request`, {
      code: 'topology-changed',
      operation: 'record promotion',
      retryable: true,
      details: { registry: name, revision },
    });
  };
}

/** Replicas follow the target of their prod that brings the same item. */
async function insertTargets(tables: Tables, promotionId: string, targets: readonly TargetRow[]): Promise<void> {
  const idOf = new Map(targets.map(({ id, itemId, target }) => [`${itemId} ${target.registry}`, id]));
  await tables.itemTarget.createMany({
    data: targets.map(({ id, itemId, target, registryId }) => ({
      id,
      promotionId,
      itemId,
      registryId,
      location: target.location,
      repository: target.repository,
      requirement: target.requirement,
      follows: target.follows === undefined ? null : (idOf.get(`${itemId} ${target.follows}`) ?? null),
      state: 'pending',
    })),
  });
}

/**
 * Gives each tag its ticket: the order in which this name is written. Rows are locked in
 * one order by everyone, and until commit, so tickets are given in the order of commits.
 * What the tags are expected to hold was read after the request was claimed.
 */
async function insertTags(tables: Tables, targets: readonly TargetRow[], { principalId, route, key }: IdempotentRequest): Promise<void> {
  const tags = targets.flatMap(({ id, target, registryId }) =>
    target.tags.map(({ tag, expected }) => ({
      target: id,
      registry: registryId,
      repository: target.repository,
      tag,
      expected: expected.kind,
      digest: expected.kind === 'digest' ? Buffer.from(digestToBytes(expected.digest)).toString('hex') : null,
    })),
  );
  await tables.$executeRaw`
    WITH wanted AS (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(tags)}::jsonb)
        AS wanted (target uuid, registry uuid, repository text, tag text, expected text, digest text)
    ), given AS (
      INSERT INTO tag_order (registry_id, repository, tag, last_ticket)
      SELECT registry, repository, tag, 1 FROM wanted ORDER BY registry, repository, tag
      ON CONFLICT (registry_id, repository, tag) DO UPDATE SET last_ticket = tag_order.last_ticket + 1
      RETURNING registry_id, repository, tag, last_ticket
    )
    INSERT INTO item_target_tag (item_target_id, tag, ticket, expected, expected_digest, expected_order)
    SELECT w.target, w.tag, g.last_ticket, w.expected, decode(w.digest, 'hex'), k.claim_order
    FROM wanted w JOIN given g ON g.registry_id = w.registry AND g.repository = w.repository AND g.tag = w.tag
      CROSS JOIN idempotency_key k
    WHERE k.principal_id = ${principalId}::uuid AND k.route = ${route} AND k.key = ${key}`;
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
        source: item.source,
        requestedBy: promotion.requestedBy,
        // Who it was stands with the promotion, where a person's name can be erased; this record never can.
        ...(promotion.onBehalfOf === undefined ? {} : { isOnBehalf: true }),
        ...(promotion.reason === undefined ? {} : { reason: promotion.reason }),
        ...(promotion.externalRef === undefined ? {} : { externalRef: promotion.externalRef }),
      },
    })),
  });
}

/** Prisma's JSON type knows no interfaces. */
function asJson(value: object): object {
  return value;
}
