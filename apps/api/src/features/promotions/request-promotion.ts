import { setMaxListeners } from 'node:events';
import { type Actor, allows } from '@waybill/access';
import type { AcceptedPromotion, CreatePromotion } from '@waybill/contracts/http';
import { type IdSource, uuidV7 } from '@waybill/kernel';
import type { NewPromotion, PromotionWriter, StoredAnswer, TopologyRevision, TopologyRevisions } from '@waybill/persistence';
import {
  buildIntent,
  estimate,
  type Estimate,
  forecastTarget,
  hashIntent,
  inspectContent,
  type ItemContent,
  observeTargets,
  planItems,
  type PlannedItem,
  PromotionError,
  refuseImmutableConflicts,
  type RegistryReader,
  type RequestedItem,
  type ResolvedItem,
  resolveSource,
  type ResolveSourceOptions,
} from '@waybill/promotion';
import { registryNamed } from '@waybill/topology';
import { ContentError, digestFromBytes, type Manifest, parseArtifactReference, viewManifest } from '@waybill/oci-model';
import pLimit from 'p-limit';
import { ApiError } from '../../http/api-error.js';
import { jsonAnswer } from '../../http/json-answer.js';
import type { OpenClaim } from '../../http/idempotent-requests.js';

/** A source that is absent is explained by listing what is near it: so many lists are held at once. */
const maxSourcesAtOnce = 8;

export interface RequestPromotionOptions {
  readonly revisions: TopologyRevisions;
  /** Reads the registries of a revision, a bounded number of questions at a time. */
  readonly readerOf: (revision: TopologyRevision) => Promise<RegistryReader>;
  readonly writer: PromotionWriter;
  /** How long one request may look at registries, in milliseconds. */
  readonly registryDeadlineMs: number;
  readonly ids?: IdSource;
}

interface ReadSource {
  readonly item: PlannedItem;
  readonly root: Manifest;
}

interface Resolution extends ReadSource {
  readonly resolved: ResolvedItem;
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
    const revision = await this.#activeRevision();
    const { topology } = revision;
    const planned = planItems(topology, body.path, requestedItems(body));

    const reader = await this.#options.readerOf(revision);
    const deadline = AbortSignal.timeout(this.#options.registryDeadlineMs);
    setMaxListeners(0, deadline); // each of the many small reads listens to it
    const mayName = (repository: string) => allows(actor.grants, 'promotions:create', { path: body.path, repository });
    // One after the other: what is asked about sources is never kept waiting by targets, nor those by the forecast.
    const sources = await readSources(reader, planned, { signal: deadline, mayName });
    const resolutions = await Promise.all(sources.map((source) => observe(reader, source, deadline)));
    const items = resolutions.map(({ resolved }) => resolved);
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
      estimate: await forecast(reader, revision, resolutions, deadline),
      items,
    };
    const answer = acceptance(promotion);
    if (await this.#options.writer.create(promotion, { ...claim, answer })) return answer;
    throw new ApiError('a repetition of this request took over', { code: 'request-in-flight', retryAfterMs: 1_000 });
  }

  async #activeRevision(): Promise<TopologyRevision> {
    const revision = await this.#options.revisions.active();
    if (revision !== undefined) return revision;
    throw new PromotionError('no topology was applied yet', { code: 'no-topology', operation: 'request promotion' });
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

async function readSources(
  reader: RegistryReader,
  items: readonly PlannedItem[],
  options: ResolveSourceOptions,
): Promise<readonly ReadSource[]> {
  const inTurn = pLimit(maxSourcesAtOnce);
  return inTurn.map(items, async (item) => {
    const root = await inTime(item, resolveSource(reader, item, options), options.signal);
    // What is no manifest could never be copied: refused now rather than failed later.
    viewManifest(root);
    return { item, root };
  });
}

async function observe(reader: RegistryReader, { item, root }: ReadSource, deadline: AbortSignal): Promise<Resolution> {
  const targets = await observeTargets(reader, item, deadline);
  return { item, root, resolved: { source: item.source, digest: root.digest, mediaType: root.mediaType, targets } };
}

/** Our deadline aborts the reading; to the caller it is the registry that did not answer in time. */
async function inTime<T>(item: PlannedItem, reading: Promise<T>, deadline: AbortSignal): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (!deadline.aborted || !(error instanceof PromotionError) || error.code !== 'source-unreachable') throw error;
    const { operation, retryAfterMs } = error;
    throw new PromotionError(`the source registry ${item.source.registry} did not answer in time`, {
      code: 'source-unreachable',
      operation,
      retryable: true,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      cause: error,
    });
  }
}

const nothing: ItemContent = { manifests: 0, blobs: [] };

/** A forecast is a courtesy: what cannot be read in time is left out of it. */
async function forecast(
  reader: RegistryReader,
  { topology }: TopologyRevision,
  resolutions: readonly Resolution[],
  deadline: AbortSignal,
): Promise<Estimate> {
  const contents = await Promise.all(
    resolutions.map(({ item, root }) => inspectContent(reader, item, root, deadline).catch(undefinedOnContentError)),
  );
  const forecasts = await Promise.all(
    resolutions.flatMap(({ item }, index) =>
      item.targets.map(async (target) => {
        const content = contents[index];
        const asked = { ...target, item: index, source: item.source.registry };
        const seen = await forecastTarget(reader, content ?? nothing, asked, deadline);
        return content === undefined ? { ...seen, present: undefined } : seen;
      }),
    ),
  );
  const source = resolutions[0]?.item.source.registry;
  const location = source === undefined ? undefined : registryNamed(topology, source).location;
  return estimate(topology, { location, items: contents.map((content) => content ?? nothing) }, forecasts, new Date());
}

function undefinedOnContentError(error: unknown): undefined {
  if (error instanceof ContentError) return undefined;
  throw error;
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
function asJson(forecast: Estimate): AcceptedPromotion['estimate'] {
  return JSON.parse(JSON.stringify(forecast)) as AcceptedPromotion['estimate'];
}
