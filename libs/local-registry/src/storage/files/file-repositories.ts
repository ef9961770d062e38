import { join } from 'node:path';
import { algorithmOf, Descriptor, type Digest, hexOf, isDigest, isRepositoryName, type RepositoryName, type Tag } from '@waybill/oci-model';
import type { LinkedManifest, RepositoryStorage } from '../storage.js';
import { exists, namesIn, readIfPresent, removeDurably, writeDurably } from './durable-file.js';
import { type Removal, RemovalJournal } from './removal-journal.js';
import { fileNameToTag, tagToFileName } from './tag-file-name.js';

/** Folders of a repository start with `_`, which no segment of a repository name does. */
const folders = { blobs: '_blobs', manifests: '_manifests', tags: '_tags', referrers: '_referrers' } as const;

export interface FileRepositoriesOptions {
  readonly root: string;
  /** A folder of the same file system, for files that are not whole yet. */
  readonly scratch: string;
  /** Where removals that take several steps are written down. */
  readonly journal: string;
}

/** Links and tags, one small file each. */
export class FileRepositories implements RepositoryStorage {
  readonly #root: string;
  readonly #scratch: string;
  readonly #journal: RemovalJournal;

  constructor({ root, scratch, journal }: FileRepositoriesOptions) {
    this.#root = root;
    this.#scratch = scratch;
    this.#journal = new RemovalJournal(journal, scratch);
  }

  /** Finishes what a killed process had begun. Nothing else may be called before. */
  recover(): Promise<void> {
    return this.#journal.finishAll((removal) => this.#remove(removal));
  }

  holdsBlob(repository: RepositoryName, digest: Digest): Promise<boolean> {
    return exists(this.#link(repository, 'blobs', digest));
  }

  linkBlob(repository: RepositoryName, digest: Digest): Promise<void> {
    return writeDurably(this.#link(repository, 'blobs', digest), '', this.#scratch);
  }

  unlinkBlob(repository: RepositoryName, digest: Digest): Promise<boolean> {
    return removeDurably(this.#link(repository, 'blobs', digest));
  }

  async isBlobHeld(digest: Digest): Promise<boolean> {
    for await (const repository of this.#everyName()) {
      if (await this.holdsBlob(repository, digest)) return true;
    }
    return false;
  }

  manifestType(repository: RepositoryName, digest: Digest): Promise<string | undefined> {
    return readIfPresent(this.#link(repository, 'manifests', digest));
  }

  /** The entry among the referrers comes first: it counts only as long as the manifest's own link is there. */
  async linkManifest(repository: RepositoryName, { digest, mediaType, referral }: LinkedManifest): Promise<void> {
    if (referral !== undefined) {
      const entry = this.#referrer(repository, referral.subject, digest);
      await writeDurably(entry, JSON.stringify(referral.descriptor), this.#scratch);
    }
    await writeDurably(this.#link(repository, 'manifests', digest), mediaType, this.#scratch);
  }

  async removeManifest(repository: RepositoryName, digest: Digest, subject: Digest | undefined): Promise<boolean> {
    if ((await this.manifestType(repository, digest)) === undefined) return false;
    await this.#journal.run({ repository, digest, subject }, (removal) => this.#remove(removal));
    return true;
  }

  async referrers(repository: RepositoryName, subject: Digest): Promise<readonly Digest[]> {
    const names = await namesIn(this.#referrersOf(repository, subject));
    const digests = names.map((name) => name.replace('-', ':')).filter(isDigest);
    return digests.toSorted();
  }

  async referrer(repository: RepositoryName, subject: Digest, digest: Digest): Promise<Descriptor | undefined> {
    if (!(await exists(this.#link(repository, 'manifests', digest)))) return undefined;
    const text = await readIfPresent(this.#referrer(repository, subject, digest));
    return text === undefined ? undefined : Descriptor.parse(JSON.parse(text));
  }

  async readTag(repository: RepositoryName, tag: Tag): Promise<Digest | undefined> {
    const text = await readIfPresent(this.#tag(repository, tag));
    return text !== undefined && isDigest(text) ? text : undefined;
  }

  writeTag(repository: RepositoryName, tag: Tag, digest: Digest): Promise<void> {
    return writeDurably(this.#tag(repository, tag), digest, this.#scratch);
  }

  removeTag(repository: RepositoryName, tag: Tag): Promise<boolean> {
    return removeDurably(this.#tag(repository, tag));
  }

  async tags(repository: RepositoryName): Promise<readonly Tag[] | undefined> {
    const files = await namesIn(join(this.#root, repository, folders.tags));
    if (files.length > 0) return files.map(fileNameToTag).filter((tag) => tag !== undefined);
    const known = await namesIn(join(this.#root, repository, folders.manifests));
    return known.length > 0 ? [] : undefined;
  }

  async *names(): AsyncGenerator<RepositoryName> {
    for await (const name of this.#everyName()) {
      if (await this.#holdsManifests(name)) yield name;
    }
  }

  /** Every name that has a folder, also those that are only the beginning of another name. */
  async *#everyName(prefix = ''): AsyncGenerator<RepositoryName> {
    for (const segment of await namesIn(join(this.#root, prefix))) {
      const name = prefix === '' ? segment : `${prefix}/${segment}`;
      if (!isRepositoryName(name)) continue;
      yield name;
      yield* this.#everyName(name);
    }
  }

  async #holdsManifests(repository: RepositoryName): Promise<boolean> {
    const folder = join(this.#root, repository, folders.manifests);
    for (const algorithm of await namesIn(folder)) {
      if ((await namesIn(join(folder, algorithm))).length > 0) return true;
    }
    return false;
  }

  async #remove({ repository, digest, subject }: Removal): Promise<void> {
    for (const tag of (await this.tags(repository)) ?? []) {
      if ((await this.readTag(repository, tag)) === digest) await this.removeTag(repository, tag);
    }
    await removeDurably(this.#link(repository, 'manifests', digest));
    if (subject !== undefined) await removeDurably(this.#referrer(repository, subject, digest));
  }

  #link(repository: RepositoryName, kind: 'blobs' | 'manifests', digest: Digest): string {
    return join(this.#root, repository, folders[kind], algorithmOf(digest), hexOf(digest));
  }

  #referrersOf(repository: RepositoryName, subject: Digest): string {
    return join(this.#root, repository, folders.referrers, algorithmOf(subject), hexOf(subject));
  }

  #referrer(repository: RepositoryName, subject: Digest, digest: Digest): string {
    return join(this.#referrersOf(repository, subject), digest.replace(':', '-'));
  }

  #tag(repository: RepositoryName, tag: Tag): string {
    return join(this.#root, repository, folders.tags, tagToFileName(tag));
  }
}
