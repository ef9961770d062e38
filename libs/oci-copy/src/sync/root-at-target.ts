import type { Digest, Manifest, Tag } from '@waybill/oci-model';
import { CopyError } from '../copy-error.js';
import type { ManifestContext } from '../copy-manifest.js';
import type { RootTarget } from '../copy-root.js';
import { endsTarget, type Part } from '../part.js';
import { writeTag } from '../write-tags.js';
import type { SyncSettings, TagOutcome } from './sync-options.js';
import { failureOf } from './sync-totals.js';
import type { SyncedTarget } from './synced-target.js';

interface Wanted {
  readonly root: Digest;
  readonly tags: readonly Tag[];
  readonly settings: SyncSettings;
}

/** One digest and the tags that are to name it, at one target. */
export class RootAtTarget {
  readonly tags: readonly Tag[];
  readonly #root: Digest;
  readonly #settings: SyncSettings;
  readonly #before = new Map<Tag, Digest>();
  readonly #missing: Tag[] = [];
  readonly #unchanged: Tag[] = [];
  readonly #outcomes = new Map<Tag, TagOutcome>();

  constructor(
    readonly target: SyncedTarget,
    { root, tags, settings }: Wanted,
  ) {
    this.tags = tags;
    this.#root = root;
    this.#settings = settings;
  }

  /** Asks what each tag names at the target. Never rejects. */
  async compare(): Promise<void> {
    await Promise.all(this.tags.map((tag) => this.#compare(tag)));
  }

  /** What is to be done here; undefined when there is nothing to do. */
  copyTarget(): RootTarget | undefined {
    const { id, store, mountFrom } = this.target;
    const { unchanged } = this.#settings;
    const rest = { id, store, mountFrom, writeTags: this.#writeTags };
    // Another tag that names it is no proof that all of it is there (DESIGN invariant 1).
    if (this.#missing.length > 0) return { ...rest, hasRoot: false };
    if (this.#unchanged.length === 0 || unchanged === 'skip') return undefined;
    return { ...rest, hasRoot: unchanged === 'referrers' };
  }

  /** What a tag named before. */
  before(tag: Tag): Digest | undefined {
    return this.#before.get(tag);
  }

  /** What became of a tag; undefined when that is for the copy of the root to say. */
  outcomeOf(tag: Tag): TagOutcome | undefined {
    return this.#outcomes.get(tag);
  }

  async #compare(tag: Tag): Promise<void> {
    try {
      const before = await this.target.resolve(tag);
      if (before !== undefined) this.#before.set(tag, before);
      if (before === this.#root) this.#unchanged.push(tag);
      else if (this.#mayWrite(tag, before)) this.#missing.push(tag);
      else this.#outcomes.set(tag, this.#conflict(tag, before));
    } catch (error) {
      this.#outcomes.set(tag, failureOf(error as CopyError));
    }
  }

  /** One tag that is refused does not keep the others from being written. */
  readonly #writeTags = async (part: Part, root: Manifest, context: ManifestContext): Promise<void> => {
    for (const tag of this.#missing) {
      try {
        this.#outcomes.set(tag, await this.#writeTag(part, { tag, manifest: root }, context));
      } catch (error) {
        this.#outcomes.set(tag, failureOf(error as CopyError));
        if (endsTarget(error as CopyError)) throw error;
      }
    }
  };

  /** The copy took its time: what the tag names is read again just before it is written. */
  async #writeTag(part: Part, what: { readonly tag: Tag; readonly manifest: Manifest }, context: ManifestContext): Promise<TagOutcome> {
    const { run } = part;
    const { tag } = what;
    const current = await run.request('resolve tag', this.#root, (signal) => run.store.resolveTag(tag, signal));
    if (current === this.#root) return { outcome: 'unchanged' };
    if (!this.#mayWrite(tag, current)) return this.#conflict(tag, current);
    await writeTag(part, what, context);
    return { outcome: 'copied' };
  }

  #mayWrite(tag: Tag, current: Digest | undefined): boolean {
    return current === undefined || !this.#settings.isImmutable(tag, this.target.id);
  }

  #conflict(tag: Tag, current: Digest | undefined): TagOutcome {
    const { id } = this.target;
    const error = new CopyError(`target "${id}": ${tag} names ${current ?? 'nothing'} and may not be moved to ${this.#root}`, {
      code: 'target-conflict',
      side: 'target',
      target: id,
      operation: 'put tag',
      digest: this.#root,
      details: { tag, current },
    });
    return { outcome: 'conflict', error };
  }
}
