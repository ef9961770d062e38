import { childrenOf, ContentError, type Digest, type Manifest, parseTag, referrersTagOf, type Tag } from '@waybill/oci-model';
import type { RepositoryClient } from '@waybill/oci-registry';

const cosignSuffixes = ['sig', 'att', 'sbom'] as const;
/** One graph may not keep a worker reading for ever. */
const maxManifests = 10_000;

/**
 * A manifest, all that it lists, all that refers to any of that, and so on, as far as the registry has it: what lists others stands
 * before them. Empty when the registry does not have the manifest. Rejects with ContentError.
 */
export async function whatGoesWith(store: RepositoryClient, root: Digest, signal: AbortSignal): Promise<readonly Digest[]> {
  const found = new Set<Digest>();
  const queue = [root];
  for (let digest = queue.shift(); digest !== undefined; digest = queue.shift()) {
    if (found.has(digest)) continue;
    const manifest = await presentManifest(store, digest, signal);
    if (manifest === undefined) continue;
    if (found.size >= maxManifests) throw tooLarge(root);
    found.add(digest);
    queue.push(...childrenOf(manifest).manifests.map((child) => child.digest), ...(await referrersOf(store, digest, signal)));
  }
  return [...found];
}

/** The list of referrers itself stands before what it lists. */
async function referrersOf(store: RepositoryClient, subject: Digest, signal: AbortSignal): Promise<readonly Digest[]> {
  const listTag = referrersTagOf(subject);
  const tags: readonly Tag[] = [listTag, ...cosignSuffixes.map((suffix) => parseTag(`${listTag}.${suffix}`))];
  const named: Digest[] = [];
  for (const tag of tags) {
    const digest = await store.resolveTag(tag, signal);
    if (digest !== undefined) named.push(digest);
  }
  for await (const { digest } of store.listReferrers(subject, signal)) named.push(digest);
  return named;
}

async function presentManifest(store: RepositoryClient, digest: Digest, signal: AbortSignal): Promise<Manifest | undefined> {
  try {
    return await store.readManifest(digest, signal);
  } catch (error) {
    if (error instanceof ContentError && error.code === 'not-found') return undefined;
    throw error;
  }
}

function tooLarge(digest: Digest): ContentError {
  const facts = { code: 'manifest-too-large', operation: 'purge' } as const;
  return new ContentError(`more than ${maxManifests} manifests go with ${digest}`, facts);
}
