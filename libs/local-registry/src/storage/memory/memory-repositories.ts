import type { Descriptor, Digest, RepositoryName, Tag } from '@waybill/oci-model';
import type { LinkedManifest, RepositoryStorage } from '../storage.js';
import { type Budget, entryBytes } from './budget.js';

interface Repository {
  readonly blobs: Set<Digest>;
  readonly manifests: Map<Digest, LinkedManifest>;
  readonly tags: Map<Tag, Digest>;
  /** By subject: what refers to it, with what the list of referrers says of each. */
  readonly referrers: Map<Digest, Map<Digest, Descriptor>>;
  /** Was a manifest ever pushed? */
  isKnown: boolean;
}

/** Links and tags in maps. */
export class MemoryRepositories implements RepositoryStorage {
  readonly #budget: Budget;
  readonly #repositories = new Map<RepositoryName, Repository>();

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  async holdsBlob(repository: RepositoryName, digest: Digest): Promise<boolean> {
    return this.#find(repository)?.blobs.has(digest) ?? false;
  }

  async linkBlob(repository: RepositoryName, digest: Digest): Promise<void> {
    const { blobs } = this.#open(repository);
    if (!blobs.has(digest)) this.#budget.take(entryBytes);
    blobs.add(digest);
  }

  async unlinkBlob(repository: RepositoryName, digest: Digest): Promise<boolean> {
    const wasThere = this.#find(repository)?.blobs.delete(digest) ?? false;
    if (wasThere) this.#budget.give(entryBytes);
    return wasThere;
  }

  async isBlobHeld(digest: Digest): Promise<boolean> {
    for (const { blobs } of this.#repositories.values()) if (blobs.has(digest)) return true;
    return false;
  }

  async manifestType(repository: RepositoryName, digest: Digest): Promise<string | undefined> {
    return this.#find(repository)?.manifests.get(digest)?.mediaType;
  }

  async linkManifest(repository: RepositoryName, manifest: LinkedManifest): Promise<void> {
    const held = this.#open(repository);
    const before = held.manifests.get(manifest.digest);
    this.#budget.take(costOf(manifest));
    if (before !== undefined) this.#budget.give(costOf(before));
    held.manifests.set(manifest.digest, manifest);
    held.isKnown = true;
    if (manifest.referral === undefined) return;
    const { subject, descriptor } = manifest.referral;
    const entries = held.referrers.get(subject) ?? new Map<Digest, Descriptor>();
    held.referrers.set(subject, entries.set(manifest.digest, descriptor));
  }

  async removeManifest(repository: RepositoryName, digest: Digest): Promise<boolean> {
    const held = this.#find(repository);
    const manifest = held?.manifests.get(digest);
    if (held === undefined || manifest === undefined) return false;
    for (const [tag, named] of held.tags) {
      if (named === digest) await this.removeTag(repository, tag);
    }
    held.manifests.delete(digest);
    this.#budget.give(costOf(manifest));
    forget(held, manifest);
    return true;
  }

  async referrers(repository: RepositoryName, subject: Digest): Promise<readonly Digest[]> {
    return [...(this.#find(repository)?.referrers.get(subject)?.keys() ?? [])].toSorted();
  }

  async referrer(repository: RepositoryName, subject: Digest, digest: Digest): Promise<Descriptor | undefined> {
    return this.#find(repository)?.referrers.get(subject)?.get(digest);
  }

  async readTag(repository: RepositoryName, tag: Tag): Promise<Digest | undefined> {
    return this.#find(repository)?.tags.get(tag);
  }

  async writeTag(repository: RepositoryName, tag: Tag, digest: Digest): Promise<void> {
    const held = this.#open(repository);
    if (!held.tags.has(tag)) this.#budget.take(entryBytes);
    held.tags.set(tag, digest);
    held.isKnown = true;
  }

  async removeTag(repository: RepositoryName, tag: Tag): Promise<boolean> {
    const wasThere = this.#find(repository)?.tags.delete(tag) ?? false;
    if (wasThere) this.#budget.give(entryBytes);
    return wasThere;
  }

  async tags(repository: RepositoryName): Promise<readonly Tag[] | undefined> {
    const held = this.#find(repository);
    return held?.isKnown === true ? [...held.tags.keys()] : undefined;
  }

  async *names(): AsyncGenerator<RepositoryName> {
    for (const [name, { manifests }] of this.#repositories) if (manifests.size > 0) yield name;
  }

  #find(name: RepositoryName): Repository | undefined {
    return this.#repositories.get(name);
  }

  #open(name: RepositoryName): Repository {
    const known = this.#find(name);
    if (known !== undefined) return known;
    this.#budget.take(entryBytes);
    const made: Repository = { blobs: new Set(), manifests: new Map(), tags: new Map(), referrers: new Map(), isKnown: false };
    this.#repositories.set(name, made);
    return made;
  }
}

function forget({ referrers }: Repository, { digest, referral }: LinkedManifest): void {
  if (referral === undefined) return;
  const entries = referrers.get(referral.subject);
  entries?.delete(digest);
  if (entries?.size === 0) referrers.delete(referral.subject);
}

/** A referrer's annotations are kept a second time, for the list. */
function costOf({ referral }: LinkedManifest): number {
  return entryBytes + (referral === undefined ? 0 : entryBytes + Buffer.byteLength(JSON.stringify(referral.descriptor)));
}
