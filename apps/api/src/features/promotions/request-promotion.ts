import { type Actor, allows } from '@waybill/access';
import type { AcceptedPromotion, CreatePromotion } from '@waybill/contracts/http';
import { type IdSource, uuidV7 } from '@waybill/kernel';
import { ContentError, digestFromBytes, parseArtifactReference } from '@waybill/oci-model';
import type { NewPromotion, PromotionWriter, StoredAnswer, TopologyRevision, TopologyRevisions } from '@waybill/persistence';
import { buildIntent, type Estimate, hashIntent, planItems, refuseImmutableConflicts, type RequestedItem } from '@waybill/promotion';
import { ApiError } from '../../http/api-error.js';
import type { OpenClaim } from '../../http/idempotent-requests.js';
import { jsonAnswer } from '../../http/json-answer.js';
import { activeRevision } from '../../infrastructure/active-revision.js';
import { type RequestReaders, resolveItems } from './resolve-items.js';

export interface RequestPromotionOptions {
  readonly revisions: TopologyRevisions;
  /** Readers of a revision's registries, for one request. */
  readonly readersOf: (revision: TopologyRevision) => Promise<RequestReaders>;
  readonly writer: PromotionWriter;
  /** How long one request may look at registries, in milliseconds. */
  readonly registryDeadlineMs: number;
  readonly ids?: IdSource;
}

/** Accepts a promotion: resolves and pins what is asked for, and records it with its outbox row. */
export class RequestPromotion {
  readonly #options: RequestPromotionOptions;

  constructor(options: RequestPromotionOptions) {
    this.#options = options;
  }

  /**
   * @throws PromotionError, TopologyError what cannot be promoted, or not now
   * @throws ContentError a source whose answer cannot be used
   */
  async request(actor: Actor, body: CreatePromotion, claim: OpenClaim): Promise<StoredAnswer> {
    const revision = await activeRevision(this.#options.revisions, 'request promotion');
    const { topology } = revision;
    const planned = planItems(topology, body.path, requestedItems(body));

    const { items, forecast } = await resolveItems(planned, {
      topology,
      readers: await this.#options.readersOf(revision),
      deadlineMs: this.#options.registryDeadlineMs,
      mayName: (repository) => allows(actor.grants, 'promotions:create', { path: body.path, repository }),
    });
    refuseImmutableConflicts(topology, items);

    const intent = buildIntent(topology, revision.number, body.path, items);
    const promotion: NewPromotion = {
      id: (this.#options.ids ?? uuidV7).next(),
      path: body.path,
      revision: revision.number,
      requestedBy: actor.principal.id,
      labels: body.labels ?? {},
      ...(body.onBehalfOf === undefined ? {} : { onBehalfOf: body.onBehalfOf }),
      ...(body.reason === undefined ? {} : { reason: body.reason }),
      ...(body.externalRef === undefined ? {} : { externalRef: body.externalRef }),
      intent,
      intentHash: hashIntent(intent),
      estimate: forecast,
      items,
    };
    const answer = acceptance(promotion);
    if (await this.#options.writer.create(promotion, { ...claim, answer })) return answer;
    throw new ApiError('a repetition of this request took over', { code: 'request-in-flight', retryAfterMs: 1_000 });
  }
}

/** The items with their references parsed; every malformed one is named by its place. */
export function requestedItems(body: CreatePromotion): RequestedItem[] {
  const errors: { pointer: string; detail: string }[] = [];
  const items = body.items.flatMap((item, position): RequestedItem[] => {
    try {
      return [{ source: parseArtifactReference(item.source), ...(item.tags === undefined ? {} : { tags: item.tags }) }];
    } catch (error) {
      if (!(error instanceof ContentError)) throw error;
      errors.push({ pointer: `/items/${position}/source`, detail: error.message });
      return [];
    }
  });
  const [first] = errors;
  if (first !== undefined) throw new ApiError(first.detail, { code: 'reference-invalid', errors });
  return items;
}

function acceptance(promotion: NewPromotion): StoredAnswer {
  const body: AcceptedPromotion = {
    id: promotion.id,
    state: 'requested',
    path: promotion.path,
    revision: promotion.revision,
    intentHash: digestFromBytes(promotion.intentHash),
    estimate: asJson(promotion.estimate),
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

/** Undefined numbers of an estimate are absent in JSON. */
function asJson(estimate: Estimate): AcceptedPromotion['estimate'] {
  return JSON.parse(JSON.stringify(estimate)) as AcceptedPromotion['estimate'];
}
