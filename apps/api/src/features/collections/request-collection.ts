import type { Actor } from '@waybill/access';
import type { CreateCollection } from '@waybill/contracts/http';
import { type IdSource, uuidV7 } from '@waybill/kernel';
import type { Collections, StoredAnswer, TopologyRevisions } from '@waybill/persistence';
import { PromotionError } from '@waybill/promotion';
import { type Registry, registryNamed } from '@waybill/topology';
import { ApiError } from '../../http/api-error.js';
import type { OpenClaim } from '../../http/idempotent-requests.js';
import { jsonAnswer } from '../../http/json-answer.js';
import { collectionAdvice } from './collection-advice.js';
import { toCollection } from './collection.mapper.js';

export interface RequestCollectionOptions {
  readonly revisions: Pick<TopologyRevisions, 'active'>;
  readonly collections: Pick<Collections, 'create'>;
  readonly ids?: IdSource;
}

/** Accepts collections of local registries. They are done by the worker beside the registry: this process touches none. */
export class RequestCollection {
  readonly #options: RequestCollectionOptions;

  constructor(options: RequestCollectionOptions) {
    this.#options = options;
  }

  /**
   * A registry of the active topology.
   * @throws TopologyError `registry-unknown`
   * @throws PromotionError `no-topology`
   */
  async registry(name: string): Promise<Registry> {
    const revision = await this.#options.revisions.active();
    if (revision !== undefined) return registryNamed(revision.topology, name);
    throw new PromotionError('no topology was applied yet', { code: 'no-topology', operation: 'collect registry' });
  }

  /**
   * @throws as `registry`; PromotionError `already-collecting`, `topology-changed`
   * @throws ApiError `registry-not-collected`, with how it gives space back; `request-in-flight`
   */
  async request(
    actor: Actor,
    name: string,
    { body, claim }: { readonly body: CreateCollection; readonly claim: OpenClaim },
  ): Promise<StoredAnswer> {
    const { collections, ids = uuidV7 } = this.#options;
    const registry = await this.registry(name);
    if (registry.local === undefined) throw notCollected(registry);
    const collection = { id: ids.next(), registry: name, requestedBy: actor.principal.id, reason: body.reason, isDryRun: body.dryRun };
    const answer = await collections.create(collection, {
      ...claim,
      answerOf: (row) => jsonAnswer(202, { Location: `/api/v1/registries/${name}/collections/${row.id}` }, toCollection(row)),
    });
    if (answer !== undefined) return answer;
    throw new ApiError('a repetition of this request took over', { code: 'request-in-flight', retryAfterMs: 1_000 });
  }
}

function notCollected(registry: Registry): ApiError {
  return new ApiError(`Waybill does not run ${registry.name}, and collects nothing there; ${collectionAdvice(registry)}`, {
    code: 'registry-not-collected',
  });
}
