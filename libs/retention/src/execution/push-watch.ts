import { childrenOf, ContentError, type Digest, isManifestMediaType, subjectOf, type Tag } from '@waybill/oci-model';
import type { RepositorySnapshot } from '../snapshot.js';
import type { Spared } from './confirmed.js';
import type { DeletingRegistry } from './ports.js';
import { readIfThere } from './read-if-there.js';

/** Names in one answer of a registry, as our client asks for them. */
const namesPerPage = 1_000;
/** Tags that are asked for on account of one deletion, on average. */
const headsPerDeletion = 10;
const headsAtOnce = 8;

type WatchedRegistry = Pick<DeletingRegistry, 'listTags' | 'resolveTag' | 'readManifest'>;

/** What became of tags that name nothing any more. */
export interface TagsVanished {
  /** Something was deleted meanwhile, which they may have gone along with; and what each was seen to name last. */
  readonly lost: Map<Tag, Digest>;
  /** Somebody removed them: nothing was deleted meanwhile. */
  readonly removed: Set<Tag>;
}

/**
 * Sees tags that were written or moved since the repository was read: deletions have no condition, and what a tag names must stay.
 * All tags are resolved before the first deletion and after the last, and between them as often as costs ten requests for each deletion:
 * of ten tags or fewer before each. New ones are looked for as often as costs one.
 * A tag that vanishes from one look to the next, while something was deleted, may have gone along with it: if it was moved onto that.
 */
export class PushWatch {
  readonly #registry: WatchedRegistry;
  /** What each was seen to name last. */
  readonly #tags: Map<Tag, Digest>;
  readonly #manifests: Set<Digest>;
  readonly #deletionsPerList: number;
  readonly #deletionsPerLook: number;
  readonly #vanished: TagsVanished;
  /** Something was, since all tags were looked at. */
  #isDeleted = false;
  #asked = 0;

  /** Of the repository as it was read; its digests and names were read as such. `vanished` is filled with what is seen. */
  constructor(registry: WatchedRegistry, { tags, manifests }: RepositorySnapshot, vanished: TagsVanished) {
    this.#registry = registry;
    this.#vanished = vanished;
    this.#tags = new Map(tags.map(({ name, digest }) => [name as Tag, digest as Digest]));
    this.#manifests = new Set(manifests.map(({ digest }) => digest as Digest));
    this.#deletionsPerList = Math.ceil((tags.length + 1) / namesPerPage);
    this.#deletionsPerLook = Math.max(1, Math.ceil(tags.length / headsPerDeletion));
  }

  /** Asked right before each deletion: what tags name by now, and what is beneath it. Rejects with ContentError when they cannot be read. */
  async pushed(signal: AbortSignal): Promise<readonly Spared[]> {
    const asked = this.#asked;
    this.#asked += 1;
    if (asked % this.#deletionsPerLook === 0) return this.#look(signal);
    return asked % this.#deletionsPerList === 0 ? this.#compare(await this.#newTags(signal), signal) : [];
  }

  /** It is gone, with the tags that named it. */
  deleted(digest: Digest): void {
    this.#isDeleted = true;
    for (const [tag, named] of this.#tags) if (named === digest) this.#tags.delete(tag);
  }

  /** Asked after the last deletion: which tags may have gone along with it. Rejects with ContentError as `pushed` does. */
  async end(signal: AbortSignal): Promise<void> {
    if (this.#isDeleted) await this.#look(signal);
  }

  /** Resolves all tags. */
  async #look(signal: AbortSignal): Promise<readonly Spared[]> {
    const spared = await this.#compare([...this.#tags.keys(), ...(await this.#newTags(signal))], signal);
    this.#isDeleted = false;
    return spared;
  }

  async #compare(tags: readonly Tag[], signal: AbortSignal): Promise<readonly Spared[]> {
    const spared: Spared[] = [];
    for (const [tag, digest] of await this.#resolve(tags, signal)) {
      const before = this.#tags.get(tag);
      if (digest === undefined) this.#miss(tag, before);
      else if (digest !== before) {
        this.#tags.set(tag, digest);
        spared.push(...(await this.#needed(digest, tag, signal)));
      }
    }
    return spared;
  }

  /** That it was moved onto what was deleted meanwhile is a guess, also where that was one thing: others take tags away as well. */
  #miss(tag: Tag, before: Digest | undefined): void {
    const { lost, removed } = this.#vanished;
    this.#tags.delete(tag);
    if (before === undefined) return;
    if (this.#isDeleted) lost.set(tag, before);
    else removed.add(tag);
  }

  async #resolve(tags: readonly Tag[], signal: AbortSignal): Promise<ReadonlyMap<Tag, Digest | undefined>> {
    const digests = new Map<Tag, Digest | undefined>();
    for (let from = 0; from < tags.length; from += headsAtOnce) {
      const some = tags.slice(from, from + headsAtOnce);
      const named = await Promise.all(some.map((tag) => this.#registry.resolveTag(tag, signal)));
      for (const [at, tag] of some.entries()) digests.set(tag, named[at]);
    }
    return digests;
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
    const manifest = await readIfThere(this.#registry, digest, signal);
    if (manifest === undefined) return [];
    const subject = subjectOf(manifest);
    const children = childrenOf(manifest).manifests.filter(({ mediaType }) => isManifestMediaType(mediaType));
    return [...children.map((child) => child.digest), ...(subject === undefined ? [] : [subject])];
  }
}
