import { copyGraph, type CopyTarget, verifyGraph } from '@waybill/oci-copy';
import { type Digest, isReservedTag, type RepositoryName, type Tag } from '@waybill/oci-model';
import type { RegistryClient, RepositoryClient } from '@waybill/oci-registry';
import type { ExecutionRecordsStore } from '@waybill/persistence';
import { type ArchivePort, type Departing, isListOfReferrers } from '@waybill/retention';

/** Manifests kept in memory of one artifact, in bytes. */
const manifestCacheBytes = 16 * 1024 * 1024;
/** Letters of a digest that tell two artifacts of one tag apart. */
const told = 12;
const longestTag = 128;

export interface ArchiveCopyOptions {
  readonly repository: RepositoryName;
  readonly source: RepositoryClient;
  /** What is written there is written down first, and settled once it was read back. */
  readonly records: Pick<ExecutionRecordsStore, 'archiving' | 'archived'>;
  /** Rejects with WaybillError when the registry cannot be reached. */
  readonly open: (registry: string) => Promise<OpenedArchive>;
}

/** A registry that keeps copies. */
export interface OpenedArchive {
  readonly registryId: string;
  readonly client: RegistryClient;
}

/**
 * Brings what is about to be deleted to the registries that are to keep it, with everything that refers to it, and reads it back there.
 * A tag that names something else there stays where it is: the digest gets one of its own.
 */
export class ArchiveCopy implements ArchivePort {
  readonly #options: ArchiveCopyOptions;

  constructor(options: ArchiveCopyOptions) {
    this.#options = options;
  }

  /** Rejects with CopyError or ContentError. */
  async hold(departing: Departing, to: readonly string[], signal: AbortSignal): Promise<void> {
    // Whoever writes referrers keeps their list.
    if (isListOfReferrers(departing.manifest, departing.tags)) return;
    const { open, repository, records } = this.#options;
    for (const registry of to) {
      const { registryId, client } = await open(registry);
      const store = client.repository(repository);
      const tags = await tagsFor(departing, store, signal);
      await records.archiving(registryId, departing.digest, tags);
      await this.#copy({ id: registry, store }, departing.digest, signal);
      for (const tag of tags) if ((await store.resolveTag(tag, signal)) === undefined) await store.putTag(tag, departing.manifest, signal);
      await records.archived(registryId, departing.digest, tags);
    }
  }

  async #copy({ id, store }: CopyTarget, digest: Digest, signal: AbortSignal): Promise<void> {
    const options = { signal, manifestCacheBytes, referrers: 'all' } as const;
    const { targets } = await copyGraph(this.#options.source, digest, [{ id, store }], options);
    const report = targets.get(id);
    if (report === undefined) throw new TypeError('a copy without a report');
    if (report.outcome === 'failed' || report.outcome === 'cancelled') throw report.error;
    for (const referrer of report.referrers) if ('error' in referrer) throw referrer.error;
    await verifyGraph(store, digest, { target: id, signal, presentBlobs: report.presentBlobs });
  }
}

/** Those that name it there already, or nothing yet; where one names something else, a tag of its own. Reserved tags come with what they are about. */
async function tagsFor({ digest, tags }: Departing, store: RepositoryClient, signal: AbortSignal): Promise<readonly Tag[]> {
  const wanted: Tag[] = [];
  for (const tag of tags.filter((each) => !isReservedTag(each))) {
    const named = await store.resolveTag(tag, signal);
    wanted.push(named === undefined || named === digest ? tag : ownTag(tag, digest));
  }
  return wanted;
}

function ownTag(tag: Tag, digest: string): Tag {
  const hex = digest.slice(digest.indexOf(':') + 1).slice(0, told);
  return `${tag.slice(0, longestTag - told - 1)}.${hex}` as Tag;
}
