import { setMaxListeners } from 'node:events';
import { ContentError, type Manifest, viewManifest } from '@waybill/oci-model';
import {
  estimate,
  type Estimate,
  type ForecastLimits,
  forecastTarget,
  inspectContent,
  type ItemContent,
  observeTargets,
  type PlannedItem,
  PromotionError,
  type RegistryReader,
  type ResolvedItem,
  resolveSource,
  type ResolveSourceOptions,
} from '@waybill/promotion';
import { registryNamed, type Topology } from '@waybill/topology';
import pLimit from 'p-limit';

/** A source that is absent is explained by listing what is near it: so many lists are held at once. */
const maxSourcesAtOnce = 8;

/** What is asked about sources is never kept waiting by targets: each has readers of its own. */
export interface RequestReaders {
  readonly sources: RegistryReader;
  readonly targets: RegistryReader;
}

export interface ResolveItemsOptions extends Pick<ResolveSourceOptions, 'mayName'> {
  readonly topology: Topology;
  readonly readers: RequestReaders;
  /** How long registries may be looked at, in milliseconds. */
  readonly deadlineMs: number;
  /** How much of an item is looked at for the forecast. */
  readonly limits: ForecastLimits;
}

interface ReadSource {
  readonly item: PlannedItem;
  readonly root: Manifest;
}

/**
 * Reads what the sources name and what the target tags hold, side by side, and forecasts the copy.
 * Targets are asked for their tags before they are asked for the forecast, which has what time is left.
 * @throws PromotionError what `resolveSource` says of a source, `source-unreachable` too when time is up
 * @throws ContentError a source whose answer cannot be used
 */
export async function resolveItems(
  planned: readonly PlannedItem[],
  options: ResolveItemsOptions,
): Promise<{ readonly items: readonly ResolvedItem[]; readonly forecast: Estimate }> {
  const { readers, deadlineMs, mayName } = options;
  const refused = new AbortController();
  const deadline = AbortSignal.timeout(deadlineMs);
  const signal = AbortSignal.any([deadline, refused.signal]);
  setMaxListeners(0, signal); // each of the many small reads listens to it
  const looking = { ...options, signal };
  try {
    const [observed, { sources, forecast }] = await Promise.all([
      Promise.all(planned.map((item) => observeTargets(readers.targets, item, signal))),
      readSources(readers.sources, planned, { signal, mayName }).then(async (found) => ({
        sources: found,
        forecast: await forecastCopy(found, looking),
      })),
    ]);
    return { items: sources.map((source, index) => toResolved(source, observed[index] ?? [])), forecast };
  } finally {
    // A request that is refused leaves nothing running.
    refused.abort();
  }
}

function toResolved({ item, root }: ReadSource, targets: ResolvedItem['targets']): ResolvedItem {
  return { source: item.source, digest: root.digest, mediaType: root.mediaType, targets };
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

/** A forecast is a courtesy: what cannot be read in time is said to be unknown. */
async function forecastCopy(
  sources: readonly ReadSource[],
  { topology, readers, ...looking }: Pick<ResolveItemsOptions, 'topology' | 'readers' | 'limits'> & { readonly signal: AbortSignal },
): Promise<Estimate> {
  const contents = await Promise.all(
    sources.map(({ item, root }) => inspectContent(readers.sources, item, root, looking).catch(undefinedOnContentError)),
  );
  const forecasts = await Promise.all(
    sources.flatMap(({ item }, index) =>
      item.targets.map((target) => {
        const content = contents[index] ?? nothing;
        return forecastTarget(readers.targets, content, { ...target, item: index, source: item.source.registry }, looking);
      }),
    ),
  );
  const source = sources[0]?.item.source.registry;
  const location = source === undefined ? undefined : registryNamed(topology, source).location;
  return estimate(topology, { location, items: contents }, forecasts, new Date());
}

/** Nobody is asked for what an unread item is made of. */
const nothing: ItemContent = { manifests: [], blobs: [], isWhole: false };

function undefinedOnContentError(error: unknown): undefined {
  if (error instanceof ContentError) return undefined;
  throw error;
}
