import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { algorithmOf, type Digest, hexOf, isDigest, isRepositoryName, type RepositoryName, type Tag } from '@waybill/oci-model';
import { isMissing, readIfPresent, writeDurably } from './durable-file.js';
import { fileNameToTag, tagToFileName } from './tag-file-name.js';

/** Folders of a repository start with `_`, which no segment of a repository name does. */
const folders = { blobs: '_blobs', manifests: '_manifests', tags: '_tags' } as const;

/**
 * What each repository holds: links to blobs and manifests, and tags, one small file each.
 * A repository sees only what is linked in it, whatever else the registry has.
 */
export class Repositories {
  readonly #root: string;
  readonly #scratch: string;

  constructor(root: string, scratch: string) {
    this.#root = root;
    this.#scratch = scratch;
  }

  async hasBlob(repository: RepositoryName, digest: Digest): Promise<boolean> {
    try {
      await access(this.#link(repository, 'blobs', digest));
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  linkBlob(repository: RepositoryName, digest: Digest): Promise<void> {
    return writeDurably(this.#link(repository, 'blobs', digest), '', this.#scratch);
  }

  /** The media type under which the manifest was pushed; undefined when it is not here. */
  manifestType(repository: RepositoryName, digest: Digest): Promise<string | undefined> {
    return readIfPresent(this.#link(repository, 'manifests', digest));
  }

  linkManifest(repository: RepositoryName, digest: Digest, mediaType: string): Promise<void> {
    return writeDurably(this.#link(repository, 'manifests', digest), mediaType, this.#scratch);
  }

  async readTag(repository: RepositoryName, tag: Tag): Promise<Digest | undefined> {
    const text = await readIfPresent(this.#tag(repository, tag));
    return text !== undefined && isDigest(text) ? text : undefined;
  }

  writeTag(repository: RepositoryName, tag: Tag, digest: Digest): Promise<void> {
    return writeDurably(this.#tag(repository, tag), digest, this.#scratch);
  }

  /** All tags in no order; undefined when nothing was ever pushed to the repository. */
  async tags(repository: RepositoryName): Promise<readonly Tag[] | undefined> {
    const files = await namesIn(join(this.#root, repository, folders.tags));
    if (files.length > 0) return files.map(fileNameToTag).filter((tag) => tag !== undefined);
    return (await this.#holdsManifests(repository)) ? [] : undefined;
  }

  /** Every repository that holds a manifest, in no order. */
  async *names(prefix = ''): AsyncGenerator<RepositoryName> {
    for (const segment of await namesIn(join(this.#root, prefix))) {
      const name = prefix === '' ? segment : `${prefix}/${segment}`;
      if (!isRepositoryName(name)) continue;
      if (await this.#holdsManifests(name)) yield name;
      yield* this.names(name);
    }
  }

  async #holdsManifests(repository: RepositoryName): Promise<boolean> {
    return (await namesIn(join(this.#root, repository, folders.manifests))).length > 0;
  }

  #link(repository: RepositoryName, kind: 'blobs' | 'manifests', digest: Digest): string {
    return join(this.#root, repository, folders[kind], algorithmOf(digest), hexOf(digest));
  }

  #tag(repository: RepositoryName, tag: Tag): string {
    return join(this.#root, repository, folders.tags, tagToFileName(tag));
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
