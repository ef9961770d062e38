import { childrenOf, ContentError, type Digest, isManifestMediaType, type Manifest, subjectOf, type Tag } from '@waybill/oci-model';
import type { RepositorySnapshot } from '../snapshot.js';
import type { Spared } from './confirmed.js';
import type { DeletingRegistry } from './ports.js';

/** Names in one answer of a registry, as our client asks for them. */
const namesPerPage = 1_000;

/**
 * Sees tags that were written since the repository was read: deletions have no condition, and what a new tag names must stay.
 * It costs about one request for each time it is asked: of a repository whose list is longer, the list is read less often.
 */
export class PushWatch {
  readonly #registry: Pick<DeletingRegistry, 'listTags' | 'resolveTag' | 'readManifest'>;
  readonly #tags: Set<string>;
  readonly #manifests: Set<string>;
  #asked = 0;

  constructor(registry: Pick<DeletingRegistry, 'listTags' | 'resolveTag' | 'readManifest'>, { tags, manifests }: RepositorySnapshot) {
    this.#registry = registry;
    this.#tags = new Set(tags.map(({ name }) => name));
    this.#manifests = new Set(manifests.map(({ digest }) => digest));
  }

  /** What new tags name, and what is beneath it. Rejects with ContentError when the tags cannot be listed. */
  async pushed(signal: AbortSignal): Promise<readonly Spared[]> {
    const pages = Math.ceil((this.#tags.size + 1) / namesPerPage);
    this.#asked += 1;
    if (this.#asked % pages !== 0) return [];
    const spared: Spared[] = [];
    for (const tag of await this.#newTags(signal)) {
      const digest = await this.#registry.resolveTag(tag, signal);
      if (digest !== undefined) spared.push(...(await this.#needed(digest, tag, signal)));
      this.#tags.add(tag);
    }
    return spared;
  }

  async #newTags(signal: AbortSignal): Promise<readonly Tag[]> {
    const tags: Tag[] = [];
    try {
      for await (const tag of this.#registry.listTags(signal)) if (!this.#tags.has(tag)) tags.push(tag);
    } catch (error) {
      // Distribution says so of a repository whose last tag is gone.
      if (!(error instanceof ContentError) || error.code !== 'not-found') throw error;
    }
    return tags;
  }

  /** What the repository held before is known with all that is beneath it; what is new has to be read. */
  async #needed(root: Digest, tag: Tag, signal: AbortSignal): Promise<readonly Spared[]> {
    const spared: Spared[] = [];
    const pending = [root];
    for (let digest = pending.pop(); digest !== undefined; digest = pending.pop()) {
      spared.push({ digest, reason: { code: 'tag-kept', message: `the tag ${tag} was written meanwhile, and needs it` } });
      if (this.#manifests.has(digest)) continue;
      this.#manifests.add(digest);
      pending.push(...(await this.#beneath(digest, signal)));
    }
    return spared;
  }

  async #beneath(digest: Digest, signal: AbortSignal): Promise<readonly Digest[]> {
    const manifest = await this.#readIfThere(digest, signal);
    if (manifest === undefined) return [];
    const subject = subjectOf(manifest);
    const children = childrenOf(manifest).manifests.filter(({ mediaType }) => isManifestMediaType(mediaType));
    return [...children.map((child) => child.digest), ...(subject === undefined ? [] : [subject])];
  }

  async #readIfThere(digest: Digest, signal: AbortSignal): Promise<Manifest | undefined> {
    try {
      return await this.#registry.readManifest(digest, signal);
    } catch (error) {
      if (error instanceof ContentError && error.code === 'not-found') return undefined;
      throw error;
    }
  }
}
