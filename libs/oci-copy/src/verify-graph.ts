import type { ContentReader, Descriptor, Digest, Manifest } from '@waybill/oci-model';
import pLimit from 'p-limit';
import { allOrStop } from './all-or-stop.js';
import { CopyError, type Place } from './copy-error.js';
import { LinkedAbort } from './linked-abort.js';
import { ManifestSource } from './manifest-source.js';
import { type GraphBounds, settingsOf } from './options.js';
import { request, type RequestContext } from './request.js';
import { walkGraph } from './walk-graph.js';

export interface VerifyOptions extends Omit<GraphBounds, 'manifestCacheBytes'> {
  /** Blobs already proven to be there, as a copy's report names them; they are not asked for again. */
  readonly presentBlobs?: ReadonlySet<Digest>;
  /** Names the store in errors. */
  readonly target?: string;
  /** Told each manifest that was read back, once; it is not kept. */
  readonly onManifest?: (manifest: Manifest) => void;
  readonly signal?: AbortSignal;
  readonly manifestsInParallel?: number;
}

/** What was found to be there. */
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
 * every blob was proven before or gives a byte now.
 * Rejects with CopyError: `target-incomplete` with the missing digests in
 * `details.manifests` and `details.blobs`, other `target-…` codes, `graph-too-large`, `stalled`, `aborted`.
 */
export async function verifyGraph(store: ContentReader, root: Digest, options: VerifyOptions = {}): Promise<VerifyReport> {
  const caller = new LinkedAbort(options.signal);
  try {
    return await verifyAll(store, root, { ...options, signal: caller.signal });
  } finally {
    caller.release();
  }
}

async function verifyAll(store: ContentReader, root: Digest, options: VerifyOptions): Promise<VerifyReport> {
  // Nothing is read twice here, so no manifest's bytes are kept.
  const settings = settingsOf({ ...options, manifestCacheBytes: 0 });
  const side = { side: 'target', target: options.target } as const;
  const context: RequestContext = { settings, signal: settings.signal, limit: pLimit(settings.manifestsInParallel), retries: 0 };
  const manifests = new ManifestSource(store, side, context);
  const missing: Missing = { manifests: [], blobs: [] };

  const load = async (digest: Digest, signal: AbortSignal): Promise<Manifest | undefined> => {
    try {
      const manifest = await manifests.read(digest, signal);
      options.onManifest?.(manifest);
      return manifest;
    } catch (error) {
      if ((error as CopyError).code !== 'target-missing') throw error;
      missing.manifests.push(digest);
      return undefined;
    }
  };
  const rootManifest = await load(root, settings.signal);
  if (rootManifest === undefined) throw incomplete(root, missing, side);
  const graph = await walkGraph(rootManifest, { load, side, settings });
  const unproven = graph.blobs.filter((blob) => options.presentBlobs?.has(blob.digest) !== true);
  missing.blobs.push(...(await missingBlobs(store, unproven, { context, side })));
  if (missing.manifests.length + missing.blobs.length > 0) throw incomplete(root, missing, side);
  return { root: rootManifest, manifests: graph.levels.flat().length, blobs: graph.blobs.length, foreignLayers: graph.foreign };
}

interface Missing {
  readonly manifests: Digest[];
  readonly blobs: Digest[];
}
type End = Pick<Place, 'target'> & { readonly side: 'target' };

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

function incomplete(root: Digest, missing: Missing, side: End): CopyError {
  const { manifests, blobs } = missing;
  const where = side.target === undefined ? 'the target' : `target "${side.target}"`;
  const named = [...manifests, ...blobs].slice(0, 3).join(', ');
  return new CopyError(`${where} lacks ${manifests.length} manifests and ${blobs.length} blobs beneath ${root}: ${named}`, {
    ...side,
    code: 'target-incomplete',
    operation: 'verify graph',
    digest: root,
    details: { manifests: manifests.slice(0, maxNamed), blobs: blobs.slice(0, maxNamed) },
  });
}
