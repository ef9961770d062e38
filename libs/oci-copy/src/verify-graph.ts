import { type ContentReader, type Descriptor, type Digest, type Manifest, subjectOf } from '@waybill/oci-model';
import pLimit from 'p-limit';
import { allOrStop } from './all-or-stop.js';
import { CopyError, copyErrorFrom, type Place } from './copy-error.js';
import { type Graph, GraphTally } from './graph.js';
import { LinkedAbort } from './linked-abort.js';
import { ManifestSource } from './manifest-source.js';
import { type GraphBounds, settingsOf } from './options.js';
import { type ExpectedReferrer, missingReferences } from './referrers/verify-referrers.js';
import { request, type RequestContext } from './request.js';
import { walkGraph } from './walk-graph.js';

export interface VerifyOptions extends Omit<GraphBounds, 'manifestCacheBytes'> {
  /** Blobs already proven to be there, as a copy's report names them; they are not asked for again. */
  readonly presentBlobs?: ReadonlySet<Digest>;
  /** Proven as the graph itself is, and listed and tagged besides. The store may hold more. */
  readonly referrers?: readonly ExpectedReferrer[];
  /** Names the store in errors. */
  readonly target?: string;
  /** Told each manifest that was read back, once; it is not kept. */
  readonly onManifest?: (manifest: Manifest) => void;
  readonly signal?: AbortSignal;
  readonly manifestsInParallel?: number;
}

/** What was found to be there, referrers included; each digest counts once. */
export interface VerifyReport {
  readonly root: Manifest;
  readonly manifests: number;
  readonly blobs: number;
  /** Foreign layers: named, and not looked for. */
  readonly foreignLayers: number;
}

/** Missing digests that an error names; the rest are only counted. */
const maxNamed = 100;

/**
 * Proves that everything beneath `root` is at a store: every manifest is read back and hashed,
 * every blob was proven before or gives a byte now. Expected referrers are proven like that with what is
 * beneath them, and must be listed by their subjects and named by their tags.
 * Rejects with CopyError: `target-incomplete` with the missing digests in `details.manifests`, `details.blobs` and
 * `details.referrers` (neither listed nor tagged), other `target-…` codes, `graph-too-large`, `stalled`, `aborted`.
 */
export async function verifyGraph(store: ContentReader, root: Digest, options: VerifyOptions = {}): Promise<VerifyReport> {
  const caller = new LinkedAbort(options.signal);
  try {
    return await verifyAll(new Reading(store, root, { ...options, signal: caller.signal }), options);
  } finally {
    caller.release();
  }
}

async function verifyAll(reading: Reading, { referrers = [], presentBlobs }: VerifyOptions): Promise<VerifyReport> {
  const { store, root, side, context } = reading;
  const rootManifest = await reading.load(root, context.signal);
  if (rootManifest === undefined) throw incomplete(reading, { blobs: [], referrers: [] });
  const main = await reading.walk(rootManifest, context.signal);
  const beneathReferrers = await allOrStop(referrers, context.signal, async ({ referrer }, signal) => {
    const manifest = await reading.load(referrer, signal);
    return manifest === undefined ? [] : [await reading.walk(manifest, signal)];
  });
  const graphs = [main, ...beneathReferrers.flat()];
  const blobs = new Map(graphs.flatMap((graph) => graph.blobs.map((blob) => [blob.digest, blob] as const)));
  const unproven = [...blobs.values()].filter((blob) => presentBlobs?.has(blob.digest) !== true);
  const missing = {
    blobs: await missingBlobs(store, unproven, { context, side }),
    referrers: await missingReferences(store, referrers, { ...context, target: side.target, subjectOf: (each) => reading.read.get(each) }),
  };
  if (reading.missing.length + missing.blobs.length + missing.referrers.length > 0) throw incomplete(reading, missing);
  const foreignLayers = graphs.reduce((sum, graph) => sum + graph.foreign, 0);
  return { root: rootManifest, manifests: reading.read.size, blobs: blobs.size, foreignLayers };
}

type End = Pick<Place, 'target'> & { readonly side: 'target' };

/** Reads every manifest back once, and notes which are missing. */
class Reading {
  readonly side: End;
  readonly context: RequestContext;
  /** What was read back, with the subject that it names. */
  readonly read = new Map<Digest, Digest | undefined>();
  readonly missing: Digest[] = [];

  readonly #begun = new Set<Digest>();
  readonly #manifests: ManifestSource;
  readonly #tally: GraphTally;
  readonly #onManifest: VerifyOptions['onManifest'];

  constructor(
    readonly store: ContentReader,
    readonly root: Digest,
    options: VerifyOptions,
  ) {
    const { presentBlobs: _blobs, referrers: _referrers, target, onManifest, ...rest } = options;
    // Nothing is read twice here, so no manifest's bytes are kept.
    const settings = settingsOf({ ...rest, manifestCacheBytes: 0 });
    this.side = { side: 'target', target };
    this.context = { settings, signal: settings.signal, limit: pLimit(settings.manifestsInParallel), retries: 0 };
    this.#manifests = new ManifestSource(store, this.side, this.context);
    this.#tally = new GraphTally(root, settings);
    this.#onManifest = onManifest;
  }

  /** Undefined when the manifest is missing, or when somebody else reads it back, with all that is beneath it. */
  async load(digest: Digest, signal: AbortSignal): Promise<Manifest | undefined> {
    if (this.#begun.has(digest)) return undefined;
    this.#begun.add(digest);
    try {
      const manifest = await this.#manifests.read(digest, signal);
      this.read.set(digest, subjectOf(manifest));
      this.#onManifest?.(manifest);
      return manifest;
    } catch (error) {
      const known = copyErrorFrom(error, { ...this.side, operation: 'read manifest', digest });
      if (known.code !== 'target-missing') throw known;
      this.missing.push(digest);
      return undefined;
    }
  }

  walk(from: Manifest, signal: AbortSignal): Promise<Graph> {
    const load = (digest: Digest, stop: AbortSignal) => this.load(digest, stop);
    return walkGraph(from, { load, side: this.side, settings: { ...this.context.settings, signal }, tally: this.#tally });
  }
}

async function missingBlobs(
  store: ContentReader,
  blobs: readonly Descriptor[],
  { context, side }: { readonly context: RequestContext; readonly side: End },
): Promise<Digest[]> {
  const present = await allOrStop(blobs, context.signal, (blob, signal) =>
    request({ ...side, operation: 'probe blob', digest: blob.digest }, { ...context, signal }, () => store.probeBlob(blob, signal)),
  );
  return blobs.filter((_, index) => present[index] !== true).map((blob) => blob.digest);
}

function incomplete(
  { root, side, missing: manifests }: Reading,
  { blobs, referrers }: { readonly blobs: readonly Digest[]; readonly referrers: readonly Digest[] },
): CopyError {
  const where = side.target === undefined ? 'the target' : `target "${side.target}"`;
  const named = [...new Set([...manifests, ...blobs, ...referrers])].slice(0, 3).join(', ');
  const unlisted = referrers.length === 0 ? '' : ` and names ${referrers.length} referrers nowhere`;
  return new CopyError(`${where} lacks ${manifests.length} manifests and ${blobs.length} blobs beneath ${root}${unlisted}: ${named}`, {
    ...side,
    code: 'target-incomplete',
    operation: 'verify graph',
    digest: root,
    details: {
      manifests: manifests.slice(0, maxNamed),
      blobs: blobs.slice(0, maxNamed),
      ...(referrers.length === 0 ? {} : { referrers: referrers.slice(0, maxNamed) }),
    },
  });
}
