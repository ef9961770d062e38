import type { Actor } from '@waybill/access';
import type { AcceptedPromotion, CreatePromotion } from '@waybill/contracts/http';
import { type IdSource, uuidV7 } from '@waybill/kernel';
import { digestFromBytes } from '@waybill/oci-model';
import type { NewPromotion, PromotionWriter, StoredAnswer } from '@waybill/persistence';
import { type ForecastLimits, refuseImmutableConflicts } from '@waybill/promotion';
import { ApiError } from '../../http/api-error.js';
import type { OpenClaim } from '../../http/idempotent-requests.js';
import { jsonAnswer } from '../../http/json-answer.js';
import { toEstimate } from './estimate.mapper.js';
import type { PlanPromotion } from './plan-promotion.js';

/** Whoever asks for a promotion waits for its acceptance, not for a forecast to the last blob. */
const limits: ForecastLimits = { manifests: 64, probes: 64 };

export interface RequestPromotionOptions {
  readonly planner: PlanPromotion;
  readonly writer: PromotionWriter;
  readonly ids?: IdSource;
}

/** Accepts a promotion: resolves and pins what is asked for, and records it with its outbox row. */
export class RequestPromotion {
  readonly #options: RequestPromotionOptions;

  constructor(options: RequestPromotionOptions) {
    this.#options = options;
  }

  /**
   * @throws PromotionError, TopologyError what cannot be promoted, or not now, as while a run of retention deletes it
   * @throws ContentError a source whose answer cannot be used
   */
  async request(actor: Actor, body: CreatePromotion, claim: OpenClaim): Promise<StoredAnswer> {
    const { planner, writer, ids = uuidV7 } = this.#options;
    const { revision, items, intent, intentHash, forecast } = await planner.plan(actor, body, limits);
    refuseImmutableConflicts(revision.topology, items);
    const promotion: NewPromotion = {
      id: ids.next(),
      path: body.path,
      revision: revision.number,
      requestedBy: actor.principal.id,
      labels: body.labels ?? {},
      ...(body.onBehalfOf === undefined ? {} : { onBehalfOf: body.onBehalfOf }),
      ...(body.reason === undefined ? {} : { reason: body.reason }),
      ...(body.externalRef === undefined ? {} : { externalRef: body.externalRef }),
      intent,
      intentHash,
      estimate: forecast,
      items,
    };
    const answer = acceptance(promotion);
    if (await writer.create(promotion, { ...claim, answer })) return answer;
    throw new ApiError('a repetition of this request took over', { code: 'request-in-flight', retryAfterMs: 1_000 });
  }
}

function acceptance(promotion: NewPromotion): StoredAnswer {
  const body: AcceptedPromotion = {
    id: promotion.id,
    state: 'requested',
    path: promotion.path,
    revision: promotion.revision,
    intentHash: digestFromBytes(promotion.intentHash),
    estimate: toEstimate(promotion.estimate),
    items: promotion.items.map(({ source, digest, targets }) => ({
      source: { registry: source.registry, repository: source.repository, ...(source.tag === undefined ? {} : { tag: source.tag }) },
      digest,
      targets: targets.map(({ registry, repository, requirement, tags }) => ({
        registry,
        repository,
        requirement,
        tags: tags.map(({ tag }) => tag),
      })),
    })),
  };
  return jsonAnswer(202, { Location: `/api/v1/promotions/${promotion.id}` }, body);
}
