import { type Actor, allows } from '@waybill/access';
import type { CreatePromotion } from '@waybill/contracts/http';
import { ContentError, parseArtifactReference } from '@waybill/oci-model';
import type { TopologyRevision, TopologyRevisions } from '@waybill/persistence';
import {
  buildIntent,
  type Estimate,
  type ForecastLimits,
  hashIntent,
  type Intent,
  planItems,
  type RequestedItem,
  type ResolvedItem,
} from '@waybill/promotion';
import { authorise } from '../../http/actor.js';
import { ApiError } from '../../http/api-error.js';
import { activeRevision } from '../../infrastructure/active-revision.js';
import { type RequestReaders, resolveItems } from './resolve-items.js';

export interface PlanPromotionOptions {
  readonly revisions: TopologyRevisions;
  /** Readers of a revision's registries, for one request. */
  readonly readersOf: (revision: TopologyRevision) => Promise<RequestReaders>;
  /** How long one request may look at registries, in milliseconds. */
  readonly registryDeadlineMs: number;
}

/** What would be promoted, everything resolved and looked at; nothing is written. */
export interface PromotionPlan {
  readonly revision: TopologyRevision;
  readonly items: readonly ResolvedItem[];
  readonly intent: Intent;
  /** SHA-256 of the intent, 32 bytes. */
  readonly intentHash: Uint8Array<ArrayBuffer>;
  readonly forecast: Estimate;
}

/** Resolves what is asked for by the active topology, and looks at sources and targets. */
export class PlanPromotion {
  readonly #options: PlanPromotionOptions;

  constructor(options: PlanPromotionOptions) {
    this.#options = options;
  }

  /**
   * @throws PromotionError, TopologyError what cannot be promoted, or not now
   * @throws ContentError a source whose answer cannot be used
   */
  async plan(actor: Actor, body: CreatePromotion, limits: ForecastLimits): Promise<PromotionPlan> {
    const { revisions, readersOf, registryDeadlineMs } = this.#options;
    const revision = await activeRevision(revisions, 'request promotion');
    const { topology } = revision;
    const { items, forecast } = await resolveItems(planItems(topology, body.path, requestedItems(body)), {
      topology,
      readers: await readersOf(revision),
      deadlineMs: registryDeadlineMs,
      limits,
      mayName: (repository) => allows(actor.grants, 'promotions:create', { path: body.path, repository }),
    });
    const intent = buildIntent(topology, revision.number, body.path, items);
    return { revision, items, intent, intentHash: hashIntent(intent), forecast };
  }
}

/** Every source must be granted along the path. @throws ApiError `forbidden`, `reference-invalid` */
export function authoriseRequest(actor: Actor, body: CreatePromotion): void {
  for (const { source } of requestedItems(body)) {
    authorise(actor, 'promotions:create', { path: body.path, repository: source.repository });
  }
}

/** The items with their references parsed; every malformed one is named by its place. */
function requestedItems(body: CreatePromotion): RequestedItem[] {
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
