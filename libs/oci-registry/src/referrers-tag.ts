import {
  ContentError,
  type Descriptor,
  type Digest,
  hashesTo,
  isDigest,
  type Manifest,
  referrersIn,
  referrersTagOf,
  withoutReferrers,
  withReferrer,
} from '@waybill/oci-model';
import { headManifest } from './head-manifest.js';
import { putManifest, readManifest } from './manifests.js';
import { OneAtATime } from './one-at-a-time.js';
import { sleep } from './retry.js';
import type { RepositoryScope } from './scope.js';

/**
 * The referrers tag (distribution-spec v1.1.1, "Referrers Tag Schema"): an index that clients keep where the
 * registry keeps no list. Registries check no precondition, so two writers can overwrite each other.
 * No entry of ours is lost to that: the writers of one process follow one another, and whoever has written looks
 * again when `settleMs` have passed, in which every other writer that had read before is done, and adds itself
 * anew when it is gone. A writer that takes longer from reading to writing waits longer itself, yet may still
 * undo another's entry, which is the specification's own weakness.
 */
const writers = new OneAtATime();

/** With jittered waits between, enough for dozens of writers of one subject. */
const maxAttempts = 12;
const operation = 'list referrer';

/** Adds an entry to those that are there. Rejects with `manifest-invalid`, and writes nothing, when they cannot be read. */
export async function addReferrer(
  scope: RepositoryScope,
  entry: { readonly subject: Digest; readonly referrer: Descriptor },
  signal: AbortSignal | undefined,
): Promise<void> {
  const { connection, name } = scope;
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const tookMs = await alone(scope, entry.subject, () => addOnce(scope, entry, signal));
    if (tookMs === undefined) return;
    const jitter = 1 + Math.random() / 2; // so that many who met do not meet again
    await sleep(Math.max(connection.timeouts.settleMs, 3 * tookMs) * jitter, { connection, operation, signal });
  }
  throw connection.error(`other writers keep overwriting the referrers of ${entry.subject} at ${connection.host}`, {
    code: 'unavailable',
    operation,
    retryable: true,
    details: { repository: name, subject: entry.subject },
  });
}

/** Takes an entry out, once its manifest is gone. One that a concurrent writer brings back is dropped by the next. */
export async function dropReferrer(
  scope: RepositoryScope,
  entry: { readonly subject: Digest; readonly digest: Digest },
  signal: AbortSignal | undefined,
): Promise<void> {
  await alone(scope, entry.subject, async () => {
    const index = await readReferrersIndex(scope, entry.subject, signal);
    const rest = index === undefined ? undefined : withoutReferrers(index, new Set([entry.digest]));
    if (rest !== undefined) await putManifest(scope, rest, { tag: referrersTagOf(entry.subject), signal });
  });
}

/** What stands under the referrers tag; undefined when nothing does. Rejects with `manifest-invalid` for what is no list of referrers. */
export async function readReferrersIndex(scope: RepositoryScope, subject: Digest, signal?: AbortSignal): Promise<Manifest | undefined> {
  const tag = referrersTagOf(subject);
  try {
    const index = await readManifest(scope, tag, signal);
    if (hashesTo(index.bytes, subject)) return undefined; // GitLab's registry takes the tag for the digest, and gives the subject
    referrersIn(index);
    return index;
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
    if (error.code === 'not-found') return undefined;
    if (error.code !== 'manifest-invalid') throw error;
    const { host } = scope.connection;
    throw scope.connection.error(`the referrers tag ${tag} at ${host} must be repaired or removed: ${error.message}`, {
      code: error.code,
      operation: 'list referrers',
      cause: error,
    });
  }
}

/** How many milliseconds passed from reading to having written; undefined when the entry was there already. */
async function addOnce(
  scope: RepositoryScope,
  entry: { readonly subject: Digest; readonly referrer: Descriptor },
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const started = performance.now();
  const index = await readReferrersIndex(scope, entry.subject, signal);
  const union = withReferrer(index, entry.referrer);
  if (union === undefined) return undefined;
  const tag = referrersTagOf(entry.subject);
  try {
    await putManifest(scope, union, { tag, signal });
  } catch (error) {
    const rest = index === undefined ? undefined : await withoutLost(scope, index, { refusal: error, signal });
    const reduced = rest === undefined ? undefined : withReferrer(rest, entry.referrer);
    if (reduced === undefined) throw error;
    await putManifest(scope, reduced, { tag, signal });
  }
  return performance.now() - started;
}

/**
 * An index whose entries were deleted without it cannot be written again: registries refuse one that
 * names what they do not have. Only entries that the registry itself says it has not are dropped.
 */
async function withoutLost(
  scope: RepositoryScope,
  index: Manifest,
  { refusal, signal }: { readonly refusal: unknown; readonly signal: AbortSignal | undefined },
): Promise<Manifest | undefined> {
  if (!(refusal instanceof ContentError) || refusal.code !== 'blob-unknown') return undefined;
  const named = refusal.details['digests'];
  const suspects = Array.isArray(named) ? named : referrersIn(index).map((entry) => entry.digest);
  const lost = new Set<Digest>();
  for (const digest of suspects) {
    if (typeof digest !== 'string' || !isDigest(digest)) continue;
    if ((await headManifest(scope, digest, { operation, signal })) === undefined) lost.add(digest);
  }
  return withoutReferrers(index, lost);
}

async function alone<T>(scope: RepositoryScope, subject: Digest, work: () => Promise<T>): Promise<T> {
  return await writers.run(`${scope.connection.origin.origin}${scope.path}/${subject}`, work);
}
