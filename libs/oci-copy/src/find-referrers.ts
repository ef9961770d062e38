import type { ContentReader, Digest } from '@waybill/oci-model';
import { GraphTally } from './graph.js';
import { LinkedAbort } from './linked-abort.js';
import { type GraphBounds, type Patience, type ReferrerOptions, settingsOf } from './options.js';
import { factsOf } from './referrers/referrer.js';
import { searchReferrers } from './referrers/search-referrers.js';
import type { FoundReferrer, UnlistedSubject } from './report.js';
import { CopySession } from './session.js';
import { walkGraph } from './walk-graph.js';

export interface FindReferrersOptions extends GraphBounds, Pick<Patience, 'retries' | 'retryDelayMs'>, ReferrerOptions {
  readonly signal?: AbortSignal;
  readonly manifestsInParallel?: number;
}

export interface ReferrersReport {
  /** Subjects stand before what refers to them. */
  readonly referrers: readonly FoundReferrer[];
  readonly unlisted: readonly UnlistedSubject[];
}

/**
 * Names what refers to `root`, to anything beneath it, and to that in turn, as `copyGraph` would bring it: for pinning
 * before a copy and for `verifyGraph` after it. `options.referrers` is `all` by default.
 * Rejects with CopyError: `source-…`, `graph-too-large`, `arguments-invalid`, `aborted`.
 */
export async function findReferrers(source: ContentReader, root: Digest, options: FindReferrersOptions = {}): Promise<ReferrersReport> {
  const caller = new LinkedAbort(options.signal);
  try {
    const session = new CopySession(source, settingsOf({ referrers: 'all', ...options, signal: caller.signal }));
    return await find(session, root);
  } finally {
    caller.release();
  }
}

async function find(session: CopySession, root: Digest): Promise<ReferrersReport> {
  const { settings } = session;
  const manifests = session.manifests();
  const tally = new GraphTally(root, settings);
  const load = (digest: Digest, signal: AbortSignal) => manifests.read(digest, signal);
  const graph = await walkGraph(await manifests.read(root), { load, side: { side: 'source' }, settings, tally });
  const { referrers, unlisted } = await searchReferrers(graph, { session, manifests, tally });
  return { referrers: referrers.map(factsOf), unlisted };
}
