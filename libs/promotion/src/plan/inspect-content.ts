import { setMaxListeners } from 'node:events';
import { childrenOf, ContentError, type Digest, type Manifest } from '@waybill/oci-model';
import type { ItemContent, Piece, SeenContent, TargetForecast, Unseen } from '../estimate.js';
import { blindnessOf } from './blindness.js';
import type { PlannedItem, PlannedTarget } from './plan-items.js';
import type { RegistryReader, RepositoryReader } from './registry-reader.js';

/** How much a forecast looks at. */
export interface ForecastLimits {
  /** Manifests of an item that are read at the source; what lies beneath others is not counted. */
  readonly manifests: number;
  /** Manifests and blobs of an item that a target is asked for; of others it is not known whether they are there. */
  readonly probes: number;
}

/**
 * Reads the manifests beneath `root` at the source and lists the blobs they name.
 * @throws ContentError when one of them is not there, malformed, or cannot be read
 */
export async function inspectContent(
  reader: RegistryReader,
  item: PlannedItem,
  root: Manifest,
  { signal, limits }: { readonly signal: AbortSignal; readonly limits: ForecastLimits },
): Promise<ItemContent> {
  const repository = reader.repository(item.source.registry, item.source.repository);
  const blobs = new Map<Digest, Piece>();
  const seen = new Set<Digest>([root.digest]);
  const queue = [root];
  let isWhole = true;
  for (const manifest of queue) {
    const children = childrenOf(manifest);
    for (const blob of children.blobs) blobs.set(blob.digest, { digest: blob.digest, size: blob.size });
    const unseen = children.manifests.filter((child) => !seen.has(child.digest));
    const read = unseen.slice(0, limits.manifests - seen.size);
    if (read.length < unseen.length) isWhole = false;
    for (const child of read) seen.add(child.digest);
    queue.push(...(await Promise.all(read.map((child) => repository.readManifest(child.digest, signal)))));
  }
  const manifests = queue.map(({ digest, bytes }) => ({ digest, size: bytes.byteLength }));
  return { manifests, blobs: [...blobs.values()], isWhole };
}

/** Asks a target what it has of the item; one that cannot be asked is forecast as unknown, and so is what it does not answer. */
export async function forecastTarget(
  reader: RegistryReader,
  content: ItemContent,
  target: PlannedTarget & { readonly item: number; readonly source: string },
  { signal, limits }: { readonly signal: AbortSignal; readonly limits: ForecastLimits },
): Promise<TargetForecast> {
  const { seen, unseen } = await lookFor(reader.repository(target.registry, target.repository), content, { signal, limits });
  return {
    item: target.item,
    registry: target.registry,
    location: target.location,
    mountable: reader.shareOrigin(target.source, target.registry),
    seen,
    unseen,
  };
}

async function lookFor(
  repository: RepositoryReader,
  { manifests, blobs }: ItemContent,
  { signal, limits }: { readonly signal: AbortSignal; readonly limits: ForecastLimits },
): Promise<Pick<TargetForecast, 'seen' | 'unseen'>> {
  const questions = [
    ...manifests.map(({ digest }) => ({ digest, ask: (asking: AbortSignal) => holdsManifest(repository, digest, asking) })),
    ...blobs.map((blob) => ({ digest: blob.digest, ask: (asking: AbortSignal) => repository.probeBlob(blob, asking) })),
  ];
  const asked = questions.slice(0, limits.probes);
  // Who does not answer one question is asked no more: each would cost the same wait.
  const refused = new AbortController();
  const asking = AbortSignal.any([signal, refused.signal]);
  setMaxListeners(0, asking); // each of the many small reads listens to it
  let unseen: Unseen | undefined;
  const answers = await Promise.all(
    asked.map(async ({ digest, ask }) => {
      try {
        return { digest, isThere: await ask(asking) };
      } catch (error) {
        if (!(error instanceof ContentError)) throw error;
        const reason = blindnessOf(error, signal);
        unseen ??= reason;
        if (reason !== 'broken-answer') refused.abort();
        return { digest, isThere: undefined };
      }
    }),
  );
  if (answers.length > 0 && answers.every(({ isThere }) => isThere === undefined)) return { seen: undefined, unseen };
  const seen: SeenContent = {
    present: new Set(answers.filter(({ isThere }) => isThere === true).map(({ digest }) => digest)),
    unknown: new Set([
      ...answers.filter(({ isThere }) => isThere === undefined).map(({ digest }) => digest),
      ...questions.slice(limits.probes).map(({ digest }) => digest),
    ]),
  };
  return { seen, unseen: unseen ?? (questions.length > asked.length ? 'too-many' : undefined) };
}

/** Read as the copy will read it: what cannot be given back whole is pushed anew. */
async function holdsManifest(repository: RepositoryReader, digest: Digest, signal: AbortSignal): Promise<boolean> {
  try {
    await repository.readManifest(digest, signal);
    return true;
  } catch (error) {
    if (error instanceof ContentError && error.code === 'not-found') return false;
    throw error;
  }
}
